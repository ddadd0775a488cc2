"""The work of a run on its feed: its input is brought here before it is read."""

import time
from collections.abc import Callable

from django.conf import settings

from ingestion.feeds.config import api_config
from ingestion.feeds.fetch import fetch
from ingestion.feeds.secrets import decrypt, filled_in
from records import runs
from records.models import Feed, IngestionRun


def bring_input(run: IngestionRun, worker: str) -> str:
    """Fetch what the API of the run's feed has; the note with which a run without rows ends.

    The run then has a path, and goes on as with a file. Raises FeedError, NoRoom and LeaseLost.
    """
    feed = run.feed
    if feed is None or feed.kind != Feed.Kind.HTTP:
        return "Where it was to be loaded from is no longer known."
    config = api_config(feed.config)
    fetched = fetch(
        config,
        filled_in(config.headers) | decrypt(feed.secrets),
        name=str(run.pk),
        position=feed.position,
        on_wait=_renewing(run, worker),
    )
    run.size, run.pages, run.cut_short = fetched.size, fetched.pages, fetched.cut_short
    if not fetched.rows:
        run.save(update_fields=["pages", "cut_short"])
        since = f" newer than {feed.position!r}" if feed.position else ""
        return f"The API has no row{since}."
    run.pages[-1] |= {"position": fetched.position, "notes": fetched.notes}
    run.path = str(fetched.path)
    run.reading = {"format": "ndjson"}
    run.save(update_fields=["path", "size", "pages", "cut_short", "reading"])
    return ""


def notes_of(run: IngestionRun) -> list[str]:
    """What the fetching of a run's input has to tell."""
    return [str(note) for page in run.pages for note in page.get("notes", ())]


def keep_position(run: IngestionRun) -> None:
    """All that the API had has landed: the next run asks for what is newer."""
    position = run.pages[-1].get("position", "") if run.pages else ""
    if run.feed_id and position:
        Feed.objects.filter(pk=run.feed_id).update(position=position)


def _renewing(run: IngestionRun, worker: str) -> Callable[[], None]:
    """Renews the lease of the run, as often as that is of use."""
    every = settings.LEASE_SECONDS / 6
    last = float("-inf")

    def on_wait() -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            runs.renew(run, worker)
            last = time.monotonic()

    return on_wait
