"""The jobs of feeds: fetch an API and list a folder, manually or on schedule."""

import logging
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from ingestion.feeds.errors import FeedError
from ingestion.feeds.loading import bring_input, keep_position, notes_of
from ingestion.feeds.services import next_time, prepare, start
from ingestion.loading.load_file import LoadFile
from records.database.clock import now
from records.jobs import leases
from records.jobs.job import Job
from records.jobs.runner import queue, wake
from records.jobs.sweep import WAKE_SECONDS
from records.models import Feed, IngestionRun, RunState

log = logging.getLogger(__name__)


class FetchAPI(LoadFile):
    """Fetch the rows of an API into a file, and load that file."""

    def run(self) -> None:
        if not self.row.path:
            nothing = bring_input(self.row, self.worker, self.on_progress)
            if nothing:
                self.finish(notes=[nothing])
                return
        super().run()

    def input_notes(self) -> list[str]:
        return [*super().input_notes(), *notes_of(self.row)]

    def end_run(self, notes: list[str]) -> None:
        run = self.row
        if run.cut_short:
            leases.fail(run, self.worker, run.cut_short, notes=notes, bytes_read=run.size)
            return
        with transaction.atomic():
            super().end_run(notes)
            keep_position(run)

    @classmethod
    def start_due(cls) -> None:
        """Start every API that is due; if several processes try at once, only one does."""
        for feed in due_feeds(Feed.Kind.HTTP).select_related("source"):
            moment = now()
            claim = due_feeds(Feed.Kind.HTTP, moment).filter(pk=feed.pk, next_at=feed.next_at)
            feed.next_at = next_time(feed.schedule, moment)
            with transaction.atomic():
                started = claim.update(next_at=feed.next_at)
                made = prepare(feed, trigger="schedule", user=feed.user) if started else []
            for run in made:
                queue(run)


class LookIntoFolder(Job[Any]):
    """Start a folder that is due: queue a run for each of its new files.

    A worker does this, because listing a folder may be slow. There is no lease: if several workers
    list a folder at once, each file still gets only one run.
    """

    @classmethod
    def claim(cls, row: Feed, worker: str) -> Feed | None:
        due = due_feeds(Feed.Kind.FOLDER).filter(pk=row.pk)
        return due.select_related("source").first()

    def guard(self, retry_seconds: float | None) -> AbstractContextManager[None]:
        return nullcontext()

    def run(self) -> None:
        feed: Feed = self.row
        moment = now()
        due = due_feeds(Feed.Kind.FOLDER, moment).filter(pk=feed.pk, next_at=feed.next_at)
        then = next_time(feed.schedule, moment)
        feed.next_at = then
        try:
            start(feed, trigger="schedule", user=feed.user)
        except (FeedError, OSError) as error:
            _tell(feed, str(error))
        # This comes last: if the process dies earlier, the feed stays due, and each file still gets
        # only one run. The folder may have set an earlier time in the meantime.
        due.update(next_at=then)
        Feed.objects.filter(pk=feed.pk).update(woken_at=None)

    @classmethod
    def start_due(cls) -> None:
        moment = now()
        due = due_feeds(Feed.Kind.FOLDER, moment)
        unwoken = Q(woken_at=None) | Q(woken_at__lt=moment - timedelta(seconds=WAKE_SECONDS))
        for feed in due.filter(unwoken):
            if due.filter(unwoken, pk=feed.pk).update(woken_at=moment):
                wake(feed)


def due_feeds(kind: str, moment: datetime | None = None) -> "QuerySet[Feed]":
    """The feeds of one kind that are due."""
    found: QuerySet[Feed] = Feed.objects.filter(
        kind=kind, enabled=True, next_at__lte=moment or now()
    )
    return found


def _tell(feed: Feed, problem: str) -> None:
    """Create a failed run that shows why a scheduled import could not start; once per problem."""
    log.warning("%s: %s", feed, problem)
    last = feed.runs.order_by("-id").first()
    if last is None or last.error != problem:
        moment = now()
        IngestionRun.objects.create(
            source=feed.source,
            feed=feed,
            path="",
            file_name=str(feed.config.get("pattern", ""))[:255],
            trigger="schedule",
            state=RunState.FAILED,
            error=problem,
            started_at=moment,
            finished_at=moment,
        )
