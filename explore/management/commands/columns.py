"""`manage.py columns`: does at once what workers do for the column store when they have time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from explore.columns import checking, files, folding, segments
from records.jobs.terminal import RunCommand
from records.models import ColumnSegment, Source


class Command(RunCommand):
    help = (
        "Update the column store, the copy of the records that questions are answered from. Exit "
        "status: 0 if it is up to date, 1 if --check found differences or another update is under "
        "way."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", help="name of the source; all sources without")
        parser.add_argument(
            "--check",
            action="store_true",
            help="compare all files with the database, record by record, and change nothing",
        )
        parser.add_argument(
            "--files", action="store_true", help="print the files of the column store, one a line"
        )
        parser.add_argument(
            "--rebuild", action="store_true", help="make all files again from the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        if sum(options[name] for name in ("check", "files", "rebuild")) > 1:
            raise CommandError("Choose one of --check, --files and --rebuild.", returncode=2)
        if name is not None and Source.objects.named(name) is None:
            raise CommandError(f"There is no source {name!r}.", returncode=2)
        names = Source.objects.names() if name is None else [name]
        if options["files"]:
            for segment in ColumnSegment.objects.filter(source__in=names, replaced_at=None):
                self.stdout.write(str(files.found(segment.digest) or f"lost: {segment.digest}"))
        elif options["check"]:
            self._check(names)
        elif options["rebuild"]:
            done = [folding.rebuild(source=each) for each in names]
            if not all(done):
                raise CommandError("The column store is being updated by another process.")
            self._tell(names)
        else:
            folding.fold(sources=None if name is None else names)
            if any(map(segments.count_changes, names)):
                raise CommandError("The column store is being updated by another process.")
            self._tell(names)

    def _check(self, names: list[str]) -> None:
        found = [difference for name in names for difference in checking.differences(name)]
        for difference in found:
            self.stdout.write(str(difference))
        if found:
            raise CommandError("The column store differs; use --rebuild to make it again.")
        self._tell(names)

    def _tell(self, names: list[str]) -> None:
        found = ColumnSegment.objects.filter(source__in=names, replaced_at=None)
        records = sum(found.values_list("records", flat=True))
        size = sum(found.values_list("size", flat=True))
        self.stdout.write(
            f"The column store is up to date: {records:,} records in {found.count():,} files of "
            f"{size:,} bytes."
        )
