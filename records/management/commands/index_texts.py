"""`manage.py index_texts`: does at once what workers do when they have time."""

from argparse import ArgumentParser
from typing import Any

from records.jobs.terminal import RunCommand
from records.store import text_index


class Command(RunCommand):
    help = "Bring the index of texts up to date, by which PostgreSQL finds rare texts quickly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anew", action="store_true", help="take in every record again")

    def handle(self, *args: Any, **options: Any) -> None:
        if not text_index.is_kept():
            self.stdout.write("This database keeps no index of texts: every record is looked at.")
            return
        if options["anew"]:
            text_index.note_all()
        text_index.follow()
        self.stdout.write("The index of texts is up to date.")
