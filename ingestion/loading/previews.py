"""The preview of a draft, made in a separate process."""

import hashlib
import json
import logging
from pathlib import Path

from django.conf import settings

from ingestion.loading import dry_runs
from ingestion.parsing.inspection import Look, Sizes, look_at
from ingestion.parsing.isolated import Broke, Busy, OutOfMemory, OutOfTime, call_apart
from records.models import IngestionRun, OnConflict, RunState
from web.process_cache import process_cache

log = logging.getLogger(__name__)

SIZES = Sizes()
# How long a preview waits for others to end, and how long a failed one is remembered.
WAITING_SECONDS = 5.0
REMEMBERED_SECONDS = 600


def look(run: IngestionRun) -> Look:
    """Preview the input of a draft: the whole file, unless it is large."""
    key = _key(run)
    if error := process_cache.get(key):
        return Look(error=error)
    dry = dry_runs.latest(run)
    # A dry run that could not settle the date format has failed, as the import would.
    told = dry.report if dry and dry.state == RunState.FINISHED else None
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
            merges=dry_runs.policy_of(run) == OnConflict.MERGE,
            sizes=SIZES,
        )
    except Busy:
        return Look(
            error=f"{run.file_name} can't be previewed now, because other files are being "
            "previewed. Try again in a moment.",
            is_busy=True,
        )
    except OutOfTime:
        error = f"it took longer than {settings.PREVIEW_SECONDS} seconds"
    except OutOfMemory:
        error = f"it needed more than {settings.PREVIEW_BYTES:,} bytes of memory"
    except Broke as broke:
        log.error("The preview of %s broke: %s", run, broke)
        error = "it failed unexpectedly"
    else:
        if seen.prepared is not None:
            # Uploads are stored under their digest.
            seen.same = _loaded_before(run, run.sha256 or path.name)
        return seen
    error = (
        f"{run.file_name} can't be previewed: the preview was stopped because {error}. Change the "
        "parsing options, or discard the file and import it in smaller parts."
    )
    process_cache.set(key, error, REMEMBERED_SECONDS)
    return Look(error=error)


def _key(run: IngestionRun) -> str:
    """What a preview depends on: one that failed would fail again."""
    asked = json.dumps([run.path, run.reading, run.mapping], sort_keys=True)
    return f"preview-stopped-{hashlib.sha256(asked.encode()).hexdigest()}"


def _loaded_before(run: IngestionRun, digest: str) -> IngestionRun | None:
    """The latest run that imported the same file into the same source."""
    same = IngestionRun.objects.filter(
        source=run.source_id, sha256=digest, state=RunState.FINISHED, parent=None
    )
    return same.order_by("-pk").first()
