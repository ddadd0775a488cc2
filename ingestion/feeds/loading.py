"""Fetches the input of a run from its API, and moves the cursor of the feed."""

import time
from collections.abc import Callable

from django.db import transaction

from ingestion.feeds.config import api_config
from ingestion.feeds.fetch import fetch
from ingestion.feeds.secrets import decrypt, filled_in
from records.jobs import leases
from records.models import Feed, IngestionRun, RunState

# Seconds between two updates of a run's activity.
TELL_SECONDS = 0.5


def bring_input(
    run: IngestionRun, worker: str, on_progress: Callable[[IngestionRun], None] | None = None
) -> str:
    """Fetch the rows from the API of the run's feed; return a note if there are none.

    Meanwhile ``activity`` of the run shows the progress. Afterwards the run has a path, and
    continues as with a file. Raises FeedError, NoRoom and LeaseLost.
    """
    feed = run.feed
    if feed is None or feed.kind != Feed.Kind.HTTP:
        return "Its automatic import was removed before it could fetch any rows."
    config = api_config(feed.config)
    fetched = fetch(
        config,
        filled_in({**config.headers, **decrypt(feed.secrets)}),
        name=str(run.pk),
        position=feed.position,
        on_wait=_telling(run, worker, on_progress),
    )
    run.size, run.pages, run.cut_short = fetched.size, fetched.pages, fetched.cut_short
    if fetched.is_json and not fetched.rows:
        leases.write(run, worker, pages=run.pages, cut_short=run.cut_short, activity="")
        since = f" newer than {feed.position!r}" if feed.position else ""
        return f"The API has no rows{since}."
    run.pages[-1] |= {
        "since": feed.position,
        "position": fetched.position,
        "notes": fetched.notes,
    }
    leases.write(
        run,
        worker,
        path=str(fetched.path),
        size=run.size,
        pages=run.pages,
        cut_short=run.cut_short,
        reading={"format": "ndjson"} if fetched.is_json else {},
        file_name=run.file_name if fetched.is_json else f"{run.source.name}.csv",
        activity="",
    )
    return ""


def _telling(
    run: IngestionRun, worker: str, on_progress: Callable[[IngestionRun], None] | None
) -> Callable[[str], None]:
    """A function that renews the lease and shows the activity of a run; raises LeaseLost."""
    still_here = leases.renewing(run, worker)
    last = float("-inf")

    def tell(doing: str) -> None:
        nonlocal last
        still_here()
        if doing == run.activity or time.monotonic() - last < TELL_SECONDS:
            return
        last = time.monotonic()
        leases.write(run, worker, activity=doing)
        if on_progress is not None:
            on_progress(run)

    return tell


def notes_of(run: IngestionRun) -> list[str]:
    """The notes from fetching a run's input."""
    return [str(note) for page in run.pages for note in page.get("notes", ())]


def keep_position(run: IngestionRun) -> None:
    """Move the cursor of the feed, since all rows of the run are saved."""
    if not (run.feed_id and run.pages):
        return
    came = run.pages[-1]
    since = came.get("since", "")
    if came.get("position", since) == since:
        return
    came["moved"] = True
    with transaction.atomic():
        # Not if the run was undone or the cursor was reset in the meantime.
        ended = IngestionRun.objects.filter(pk=run.pk, state=RunState.FINISHED)
        feed = Feed.objects.filter(pk=run.feed_id, position=since)
        if ended.exists() and feed.update(position=came["position"]):
            ended.update(pages=run.pages)


def move_back(run: IngestionRun) -> None:
    """Move the cursor back after an undo, unless later runs have moved it on."""
    for feed in Feed.objects.select_for_update().filter(runs=run):
        Feed.objects.filter(pk=feed.pk).update(position=_position_without(run, feed))


def after_undo(run: IngestionRun) -> str:
    """What the feed of a run does after an undo, as a sentence; "" if nothing."""
    feed = run.feed
    if feed is None or not (feed.kind == Feed.Kind.HTTP or feed.files.filter(run=run).exists()):
        return ""
    if feed.kind == Feed.Kind.FOLDER:
        return (
            "The automatic import skips this file until it changes; a manual import of the folder "
            "imports it again."
        )
    again = "next run imports these rows again. To prevent that, turn off its schedule first."
    position = _position_without(run, feed)
    if position != feed.position:
        return (
            "The automatic import goes back to "
            f"{f'the cursor {position!r}' if position else 'the beginning'}: its {again}"
        )
    if _moved(run):
        return (
            "The automatic import continues from the cursor of a later run, so it does not import "
            "these rows again."
        )
    return f"The automatic import keeps its cursor: its {again}"


def _position_without(run: IngestionRun, feed: Feed) -> str:
    """The cursor of a feed as it would be without the run and those undone before."""
    position = feed.position
    latest_first = feed.runs.filter(read__gt=0).order_by("-pk").only("state", "pages", "feed")
    for other in latest_first.iterator(chunk_size=10):
        if not _moved(other):
            continue
        if other.pk != run.pk and other.state != RunState.UNDONE:
            break
        # The undo of an earlier run may have moved the cursor back already.
        if other.pages[-1]["position"] == position:
            position = other.pages[-1]["since"]
    return position


def _moved(run: IngestionRun) -> bool:
    """Whether a run has moved the cursor of its feed."""
    return bool(run.pages and run.pages[-1].get("moved"))
