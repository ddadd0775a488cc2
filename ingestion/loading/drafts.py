"""Drafts: runs whose preview a person looks at, adjusts, and loads or discards."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ingestion.errors import NotReady
from ingestion.loading import dry_runs, inputs, runs
from ingestion.loading.previews import look
from ingestion.loading.reject_limit import check_limit, exceeds
from ingestion.parsing.dialect import check_reading
from ingestion.parsing.inspection import Look
from ingestion.parsing.mapping import FORMAT
from ingestion.parsing.readers.repaired import repaired_run
from records import store
from records.errors import SourceHasRecords
from records.jobs.runner import queue
from records.models import DryRun, Feed, IngestionRun, RunState, Source
from records.rows import ROLES


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose on a preview; ``mapping`` has every role, and the format of dates."""

    reading: dict[str, str]
    mapping: dict[str, Any]
    on_conflict: str
    max_rejects: str


def create_draft(
    *,
    path: Path,
    file_name: str,
    source_name: str | None = None,
    user: User | None = None,
) -> IngestionRun:
    """Make a draft for an uploaded file, and have its dry run made. Raises InvalidSourceName.

    Rejected rows that were repaired in a file belong to the source that they came from.
    """
    repaired = repaired_run(path)
    if repaired is not None and source_name is None:
        parent = IngestionRun.objects.with_source().filter(pk=repaired).first()
        source_name = parent.source.name if parent else None
    run = runs.create_run(
        path=path,
        file_name=file_name,
        how="upload",
        source_name=source_name,
        user=user,
        state=RunState.DRAFT,
    )
    if repaired is None:
        run.reading = run.source.reading
        run.save(update_fields=["reading"])
    dry_runs.start(run, on_conflict=run.source.on_conflict, user=user)
    return run


def policy_of(run: IngestionRun) -> str:
    """What a draft is to do with known keys: as it was chosen for its dry run."""
    dry = dry_runs.latest(run)
    return str((dry and dry.report.get("on_conflict")) or run.source.on_conflict)


def too_many_rejects(run: IngestionRun, dry: DryRun | None) -> str:
    """Why a draft would stop by its limit, once its dry run has told; empty if it would not."""
    if dry is None or dry.state != RunState.FINISHED:
        return ""
    rejected, read = dry.report["rejected"], dry.report["read"]
    if not exceeds(run.max_rejects, rejected=rejected, read=read, at_end=True):
        return ""
    return (
        f"{rejected:,} of {read:,} rows would be held, and the limit is {run.max_rejects}: raise "
        "it, or mend the file."
    )


def adjust(run: IngestionRun, choice: Choice, seen: Look) -> bool:
    """Keep a choice that differs from what stands on the preview; whether it did.

    ``seen`` is what the person had before him. A column that the input no longer has, since it is
    read otherwise, is chosen anew. A new dry run is begun, unless it would tell the same: the most
    rejected rows are only compared with what it tells. Raises InvalidReading and InvalidLimit.
    """
    check_reading(choice.reading)
    run.max_rejects = check_limit(choice.max_rejects)
    draft = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT)
    draft.update(max_rejects=run.max_rejects)
    same_reading = choice.reading == run.reading
    named = dict(choice.mapping)
    if not named[FORMAT]:
        # It was not yet told when the page was made, or can't be.
        named[FORMAT] = seen.mapping[FORMAT]
    if same_reading and named == seen.mapping and choice.on_conflict == policy_of(run):
        return False
    if named["timestamp"] != seen.mapping["timestamp"] or not named[FORMAT]:
        named.pop(FORMAT)
    run.reading, run.mapping = choice.reading, named
    if not same_reading:
        prepared = look(run).prepared
        columns = set(prepared.columns if prepared else [])
        run.mapping = {
            role: named[role] for role in ROLES if named[role] and set(named[role]) <= columns
        }
        if FORMAT in named and "timestamp" in run.mapping:
            run.mapping[FORMAT] = named[FORMAT]
    if draft.update(reading=run.reading, mapping=run.mapping):
        dry_runs.start(run, on_conflict=choice.on_conflict, user=run.user)
    return True


def load(run: IngestionRun, seen: Look) -> None:
    """Have a draft loaded as its preview shows it, and remember that for the source.

    Raises NotReady where something has to be chosen first. A draft is loaded once.
    """
    obstacle = seen.obstacle or too_many_rejects(run, dry_runs.latest(run))
    if obstacle or seen.prepared is None:
        raise NotReady(obstacle)
    with transaction.atomic():
        loaded = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT).update(
            state=RunState.QUEUED, mapping=seen.prepared.mapping
        )
        if not loaded:
            return
        source = Source.objects.filter(pk=run.source_id)
        source.update(on_conflict=policy_of(run))
        if repaired_run(Path(run.path)) is None:
            source.update(reading=run.reading)
        dry_runs.stop(run)
    run.refresh_from_db()
    queue(run)


def discard(run: IngestionRun) -> None:
    """Forget a draft with its file, and its source if nothing else has come of that."""
    with transaction.atomic():
        dry_runs.stop(run)
        IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT).delete()
        source = Source.objects.select_for_update().get(pk=run.source_id)
        is_new = not (source.mapping or source.ingestion_runs.exists())
        if is_new and not Feed.objects.filter(source=source).exists():
            with suppress(SourceHasRecords):
                store.delete_source(source=source)
    if not IngestionRun.objects.filter(path=run.path).exists():
        inputs.forget(Path(run.path), kept_before=run.created_at)
