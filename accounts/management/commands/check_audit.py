"""`manage.py check_audit`: proves that nothing was changed in the audit log."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from accounts.audit.chain import check
from accounts.models import AuditEntry
from records.jobs.terminal import RunCommand

AT_ONCE = 2_000


def digest(text: str) -> str:
    """A digest as this command prints it."""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ArgumentTypeError("a digest has 64 hexadecimal digits")
    return text


class Command(RunCommand):
    help = (
        "Check the chain of digests of the audit log, and print the first entry that is missing or "
        "was changed. Exit status: 0 if the log is intact, 1 if not, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--print-head",
            action="store_true",
            help="print only the digest of the last entry, to be kept elsewhere",
        )
        parser.add_argument(
            "--expect",
            type=digest,
            metavar="DIGEST",
            help="a digest that --print-head has printed before: the log must still contain the "
            "entry, so that no entries were removed from its end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        entries = AuditEntry.objects.order_by("number").iterator(chunk_size=AT_ONCE)
        found = check(entries, expected=options["expect"] or "")
        if found.problem:
            self.stderr.write(f"{found.problem} The {found.entries:,} entries before are intact.")
            raise SystemExit(1)
        if not found.has_expected:
            self.stderr.write(
                f"No entry has the digest {options['expect']}: entries were removed from the end "
                f"of the log, or it was replaced. It has {found.entries:,} entries now."
            )
            raise SystemExit(1)
        if options["print_head"]:
            self.stdout.write(found.head)
        else:
            self.stdout.write(f"The audit log is intact ({found.entries:,} entries).")
            self.stdout.write(f"Last digest: {found.head}")
