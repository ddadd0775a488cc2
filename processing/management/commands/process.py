"""`manage.py process`: process records, and print the result."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from processing.errors import ProcessingError
from processing.jobs import process
from records.jobs.terminal import RunCommand, progress_bar
from records.models import ProcessingRun, Selection
from records.unread_values import unread_values


def positive(text: str) -> int:
    """A number of records."""
    if not text.isascii() or not text.isdigit() or not 0 < len(text) <= 18 or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {10**18 - 1}")
    return int(text)


class Command(RunCommand):
    help = (
        "Process waiting records, or reprocess others. Exit status: 0 if the run finished, 1 if "
        "it failed, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", help="only records of this source")
        parser.add_argument(
            "--reprocess",
            choices=[each.value for each in Selection if each != Selection.RAW],
            default=Selection.RAW,
            help="reprocess all records, those that failed, or those whose result changes",
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="process at most N records")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            created = process.create_run(
                trigger="command",
                source_name=options["source"],
                selection=Selection(options["reprocess"]),
                limit=options["limit"],
            )
        except ProcessingError as error:
            raise CommandError(str(error), returncode=2) from error
        run = self.process(created, quiet=options["json"])
        names = ["processed", "failed", "repaired"]
        if run.selection == Selection.CHANGED:
            names.append("unchanged")
        counts = {name: getattr(run, name) for name in names}
        if options["json"]:
            counts["unread"] = run.unread
            facts = {"run": run.pk, **counts, "seconds": round(run.seconds or 0, 3)}
            self.stdout.write(json.dumps(facts))
        else:
            listed = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            self.stdout.write(f"{listed}, {run.seconds or 0:.1f} s")
            for found in unread_values(options["source"]) if run.unread else ():
                self.stdout.write(self.style.ERROR(f"  {found.sentence()}"))
                self.stdout.write("  Set the number format on the page of the source.")
        if status := self.exit_status(run):
            raise SystemExit(status)

    def process(self, run: ProcessingRun, *, quiet: bool) -> ProcessingRun:
        with progress_bar(enabled=not quiet) as show:
            return self.until_it_ends(run, show)
