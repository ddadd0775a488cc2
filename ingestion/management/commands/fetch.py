"""`manage.py fetch`: load a source from its API or folder now, and print the ledger of each run."""

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
        "Load a source from its API or folder, in the foreground. Exit status: 0 when every run "
        "finished, 1 when one failed, 2 for wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="a source that loads itself")
        parser.add_argument("--json", action="store_true", help="print one JSON object a run")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["source"]
        feed = Feed.objects.filter(source__name=name).select_related("source").first()
        if feed is None:
            raise CommandError(f"{name!r} is no source with an API or a folder.", returncode=2)
        try:
            made = self.made(feed)
        except FeedError as error:
            raise CommandError(str(error)) from error
        if not made:
            self.stderr.write("There is no file that has not been loaded.")
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
        """The runs to work on; new files of a folder are looked at twice."""
        if feed.kind == Feed.Kind.HTTP:
            return services.prepare(feed, how="command")
        made, waiting = look(feed, how="command")
        if waiting:
            time.sleep(QUIET.total_seconds() + 0.1)
            made += look(feed, how="command")[0]
        return made
