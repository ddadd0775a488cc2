"""`manage.py fetch`: run the automatic import of a source now, and print the ledger of each run."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ingestion.feeds import services
from ingestion.feeds.errors import FeedError
from ingestion.feeds.folders import QUIET, look
from ingestion.management.commands.ingest import Command as IngestCommand
from records.models import Feed, IngestionRun, RunState


class Command(IngestCommand):
    help = (
        "Run the automatic import of a source now, in the foreground. Exit status: 0 if every run "
        "finished, 1 if one failed, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a source with an automatic import")
        parser.add_argument("--json", action="store_true", help="print one JSON object per run")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        feed = Feed.objects.filter(source__name=name).select_related("source").first()
        if feed is None:
            raise CommandError(f"No source {name!r} with an automatic import.", returncode=2)
        try:
            made = self.made(feed)
        except FeedError as error:
            raise CommandError(str(error)) from error
        if not made:
            self.stderr.write("There are no new files to import.")
        status = 0
        for run in made:
            done = self.work(run, quiet=options["json"])
            self.report(done, as_json=options["json"])
            status = max(status, self.exit_status(done))
            if done.state == RunState.CANCELLED:
                break
        if status:
            raise SystemExit(status)

    def made(self, feed: Feed) -> list[IngestionRun]:
        """The runs to work on; a folder is checked twice, so that new files stop growing."""
        if feed.kind == Feed.Kind.HTTP:
            return services.prepare(feed, trigger="command")
        made, waiting = look(feed, trigger="command")
        if waiting:
            time.sleep(QUIET.total_seconds() + 0.1)
            made += look(feed, trigger="command")[0]
        return made
