"""The preview of a draft: a process of its own looks at how its input begins."""

import hashlib
import json
import logging
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from ingestion.loading import dry_runs
from ingestion.parsing.inspection import Look, Sizes, look_at
from ingestion.parsing.isolated import Broke, Busy, OutOfMemory, OutOfTime, call_apart
from records.models import IngestionRun, RunState

log = logging.getLogger(__name__)

SIZES = Sizes()
# So long a look waits for others to end, and so long it is known that one came to nothing.
WAITING_SECONDS = 5.0
REMEMBERED_SECONDS = 600


def look(run: IngestionRun) -> Look:
    """Look at the input of a draft, at the whole of it unless it is large."""
    key = _key(run)
    if error := cache.get(key):
        return Look(error=error)
    dry = dry_runs.latest(run)
    # A dry run that found no row which decides has failed, as loading would.
    told = dry.report["mapping"] if dry and dry.state == RunState.FINISHED else None
    path = Path(run.path)
    try:
        seen = call_apart(
            look_at,
            seconds=settings.PREVIEW_SECONDS,
            memory=settings.PREVIEW_BYTES,
            waiting=WAITING_SECONDS,
            path=path,
            name=run.file_name,
            reading=run.reading,
            named=run.mapping,
            remembered=run.source.mapping,
            before=run.source.columns,
            told=told,
            sizes=SIZES,
        )
    except Busy:
        return Look(
            error=f"{run.file_name} can't be previewed now: other files are being looked at. Try "
            "again in a moment.",
            is_busy=True,
        )
    except OutOfTime:
        error = f"it took more than {settings.PREVIEW_SECONDS} seconds"
    except OutOfMemory:
        error = f"it took more than {settings.PREVIEW_BYTES:,} bytes of memory"
    except Broke as broke:
        log.error("The preview of %s broke: %s", run, broke)
        error = "it ended unexpectedly"
    else:
        if seen.prepared is not None:
            # Kept uploads lie under their digest.
            seen.same = _loaded_before(run, run.sha256 or path.name)
        return seen
    error = (
        f"{run.file_name} can't be previewed: looking at it was stopped, since {error}. Change how "
        "it is read, or discard it and load it in smaller parts."
    )
    cache.set(key, error, REMEMBERED_SECONDS)
    return Look(error=error)


def _key(run: IngestionRun) -> str:
    """What a look depends on: one that came to nothing would do so again."""
    asked = json.dumps([run.path, run.reading, run.mapping], sort_keys=True)
    return f"preview-stopped-{hashlib.sha256(asked.encode()).hexdigest()}"


def _loaded_before(run: IngestionRun, digest: str) -> IngestionRun | None:
    """The latest run that loaded the same file into the same source."""
    same = IngestionRun.objects.filter(
        source=run.source_id, sha256=digest, state=RunState.FINISHED, parent=None
    )
    return same.order_by("-pk").first()
