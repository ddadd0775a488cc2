"""`manage.py backup`: makes a backup, or verifies one."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import CommandError

from operations.backups.create import create_backup, delete_older, path_in
from operations.backups.report import Report
from operations.backups.restore import verify_backup
from records.jobs.terminal import RunCommand


def positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


class Command(RunCommand):
    help = (
        "Back up the database, the stored inputs and the keys into one file, or verify such a "
        "file. The file holds secrets. Exit status: 0 if it was made or is intact, 1 if not, 2 for "
        "incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            help="the file to write; or a folder, in which it is named by the time",
        )
        parser.add_argument(
            "--keep",
            type=positive,
            metavar="N",
            help="in a folder: delete all but the N newest backups once the new one is complete",
        )
        parser.add_argument(
            "--verify",
            action="store_true",
            help="restore the file into a scratch database, and compare counts and digests",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        is_folder = path.is_dir()
        if options["keep"] and (options["verify"] or not is_folder):
            raise CommandError("--keep needs a folder to write a backup to.", returncode=2)
        report = Report(self.stdout, is_json=options["json"])
        if options["verify"]:
            with report.failing(path):
                started = monotonic()
                found = verify_backup(path)
                report.done("verified", path, found.bytes, monotonic() - started, found.sources)
            return
        target = path_in(path) if is_folder else path
        with report.failing(target):
            made = create_backup(target)
            report.done("finished", target, made.backup.bytes, made.backup.seconds, made.sources)
        if options["keep"]:
            for each in delete_older(path, keep=options["keep"]):
                report.deleted(each)
