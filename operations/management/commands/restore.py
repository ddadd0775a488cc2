"""`manage.py restore`: makes the installation what a backup says that it was."""

from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any

from operations.backups.report import Report
from operations.backups.restore import restore_backup
from records.jobs.terminal import RunCommand


class Command(RunCommand):
    help = (
        "Restore a backup. Stop the web server and the workers first. If anything is wrong, "
        "nothing is changed. Exit status: 0 if it was restored, 1 if not, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="replace what the installation holds, which is lost",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        report = Report(self.stdout, is_json=options["json"])
        with report.failing(path):
            started = monotonic()
            found = restore_backup(path, overwrite=options["overwrite"])
            report.done("restored", path, found.bytes, monotonic() - started, found.sources)
