"""`manage.py digest`: what a source holds, or its results say, as one number."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from records.digests import digest_of, digest_of_results
from records.jobs.terminal import RunCommand
from records.models import Source


class Command(RunCommand):
    help = (
        "Print a digest over the ids and data of a source's records, or over what their current "
        "results say, and of how many it is. It is the same in whatever order they landed, at "
        "whatever moment results were made, and on every database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="the source")
        parser.add_argument(
            "--results", action="store_true", help="of the current results, not of the records"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        if Source.objects.named(name) is None:
            raise CommandError(f"There is no source {name!r}.", returncode=2)
        found = digest_of_results(name) if options["results"] else digest_of(name)
        self.stdout.write(f"{found.digest} {found.records}")
