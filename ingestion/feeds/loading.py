"""The work of a run on its feed: its input is brought here before it is read."""

import time
from collections.abc import Callable

from django.db import transaction

from ingestion.feeds.config import api_config
from ingestion.feeds.fetch import fetch
from ingestion.feeds.secrets import decrypt, filled_in
from records.jobs import leases
from records.models import Feed, IngestionRun, RunState

# Seconds between two sentences that say what a run does.
TELL_SECONDS = 0.5


def bring_input(
    run: IngestionRun, worker: str, on_progress: Callable[[IngestionRun], None] | None = None
) -> str:
    """Fetch what the API of the run's feed has; the note with which a run without rows ends.

    Meanwhile the run says what is done for it, in ``activity``.
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
        on_wait=_telling(run, worker, on_progress),
    )
    run.size, run.pages, run.cut_short = fetched.size, fetched.pages, fetched.cut_short
    if not fetched.rows:
        leases.write(run, worker, pages=run.pages, cut_short=run.cut_short, activity="")
        since = f" newer than {feed.position!r}" if feed.position else ""
        return f"The API has no row{since}."
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
        reading={"format": "ndjson"},
        activity="",
    )
    return ""


def _telling(
    run: IngestionRun, worker: str, on_progress: Callable[[IngestionRun], None] | None
) -> Callable[[str], None]:
    """Keeps a run, and has it say what is done for it. To be called often; raises LeaseLost."""
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
    """What the fetching of a run's input has to tell."""
    return [str(note) for page in run.pages for note in page.get("notes", ())]


def keep_position(run: IngestionRun) -> None:
    """All that the API had has landed: the next run asks for what is newer."""
    if not (run.feed_id and run.pages):
        return
    came = run.pages[-1]
    since = came.get("since", "")
    if came.get("position", since) == since:
        return
    came["moved"] = True
    with transaction.atomic():
        # Not if it has been undone meanwhile, or a person has set the position anew.
        ended = IngestionRun.objects.filter(pk=run.pk, state=RunState.FINISHED)
        feed = Feed.objects.filter(pk=run.feed_id, position=since)
        if ended.exists() and feed.update(position=came["position"]):
            ended.update(pages=run.pages)


def move_back(run: IngestionRun) -> None:
    """The run is undone: its feed goes back to where it was before, unless others went on."""
    for feed in Feed.objects.select_for_update().filter(runs=run):
        Feed.objects.filter(pk=feed.pk).update(position=_position_without(run, feed))


def after_undo(run: IngestionRun) -> str:
    """What the feed of a run does once that is undone, as a sentence; "" where there is none."""
    feed = run.feed
    if feed is None or not (feed.kind == Feed.Kind.HTTP or feed.files.filter(run=run).exists()):
        return ""
    if feed.kind == Feed.Kind.FOLDER:
        return (
            "The schedule of its feed leaves the file alone until it changes; loaded by hand, "
            "the feed takes it again."
        )
    again = (
        "next loading brings these rows again. Switch its schedule off first where that is not "
        "wanted."
    )
    position = _position_without(run, feed)
    if position != feed.position:
        return (
            f"Its feed goes back to {repr(position) if position else 'the beginning'}: its {again}"
        )
    if _moved(run):
        return (
            "Its feed goes on from where a later run came to: it does not bring these rows again."
        )
    return f"Its feed stays where it is: its {again}"


def _position_without(run: IngestionRun, feed: Feed) -> str:
    """The position of a feed as it would be had the run, and those undone before, not been."""
    position = feed.position
    latest_first = feed.runs.filter(read__gt=0).order_by("-pk").only("state", "pages", "feed")
    for other in latest_first.iterator(chunk_size=10):
        if not _moved(other):
            continue
        if other.pk != run.pk and other.state != RunState.UNDONE:
            break
        # One that was undone before may have been taken off by that already.
        if other.pages[-1]["position"] == position:
            position = other.pages[-1]["since"]
    return position


def _moved(run: IngestionRun) -> bool:
    """Whether a run has moved the position of its feed."""
    return bool(run.pages and run.pages[-1].get("moved"))
