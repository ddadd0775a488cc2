"""`manage.py digest`: what a source holds, or its results say, as one number."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from records.digests import digest_of, digest_of_results
from records.jobs.terminal import RunCommand
from records.models import Source


class Command(RunCommand):
    help = (
        "Print a digest of the IDs and data of a source's records, or of their current results, "
        "and the number of records. It does not depend on the import order, the time of "
        "processing or the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="name of the source")
        parser.add_argument(
            "--results",
            action="store_true",
            help="digest the current results instead of the records",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        if Source.objects.named(name) is None:
            raise CommandError(f"There is no source {name!r}.", returncode=2)
        found = digest_of_results(name) if options["results"] else digest_of(name)
        self.stdout.write(f"{found.digest} {found.records}")
