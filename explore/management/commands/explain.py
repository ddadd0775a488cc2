"""`manage.py explain`: the history of a record."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from explore.history import lines
from records.errors import RecordNotFound
from records.jobs.terminal import RunCommand
from records.models import DataRecord
from web.control_chars import escape_control_chars


class Command(RunCommand):
    help = (
        "Show the history of a record: where it was imported from, what each rule did, the result, "
        "and later changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("record", metavar="RECORD_ID", help="record ID: <source>:<key>")

    def handle(self, *args: Any, **options: Any) -> None:
        record = DataRecord.objects.select_related("run").find(options["record"])
        if record is None:
            raise CommandError(str(RecordNotFound(options["record"])), returncode=2)
        for line in lines(record):
            self.stdout.write(escape_control_chars(line))
