"""`manage.py index_texts`: does at once what workers do when they have time."""

from argparse import ArgumentParser
from typing import Any

from records.jobs.terminal import RunCommand
from records.store import text_index


class Command(RunCommand):
    help = "Update the text index that makes searches for rare text fast on PostgreSQL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anew", action="store_true", help="rebuild the index from all records"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not text_index.is_kept():
            self.stdout.write("This database has no text index: searches read every record.")
            return
        if options["anew"]:
            text_index.note_all()
        text_index.follow()
        self.stdout.write("The text index is up to date.")
