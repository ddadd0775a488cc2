"""Drafts: runs that wait for a person to check the preview and import or discard the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from accounts import audit
from ingestion.errors import NotReady
from ingestion.loading import dry_runs, inputs, runs
from ingestion.loading.closing import Missing
from ingestion.loading.previews import look
from ingestion.loading.reject_limit import check_limit, exceeds
from ingestion.parsing.dialect import check_reading
from ingestion.parsing.inspection import Look
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN
from ingestion.parsing.number_format import NUMBER_FORMAT, NUMBERS
from ingestion.parsing.readers.repaired import repaired_run
from records import store
from records.jobs.runner import queue
from records.models import DryRun, IngestionRun, RunState, Source
from records.reject_codes import NO_DATA
from records.rows import ROLES


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings chosen on a preview; ``mapping`` has every role, the formats of dates and
    numbers, and the time zone."""

    reading: dict[str, str]
    mapping: dict[str, Any]
    on_conflict: str
    max_rejects: str
    is_snapshot: bool = False


def create_draft(
    *,
    path: Path,
    file_name: str,
    source_name: str | None = None,
    user: User | None = None,
    trigger: str = "upload",
    on_conflict: str = "",
    is_snapshot: bool | None = None,
    **options: Any,
) -> IngestionRun:
    """Create a draft for an uploaded file and start its dry run. Raises InvalidSourceName.

    A file of fixed rejected rows belongs to the source that the rows came from. ``on_conflict`` is
    the policy of the dry run, which the source gets with the import, as ``is_snapshot``; for
    ``options``, and what they raise, see ``create_run``.
    """
    repaired = repaired_run(path)
    if repaired is not None and source_name is None:
        parent = IngestionRun.objects.with_source().filter(pk=repaired).first()
        source_name = parent.source.name if parent else None
    with transaction.atomic():
        run = runs.create_run(
            path=path,
            file_name=file_name,
            trigger=trigger,
            source_name=source_name,
            user=user,
            state=RunState.DRAFT,
            **options,
        )
        _record(audit.Action.IMPORT_UPLOADED, run)
    if repaired is None:
        run.reading = run.source.reading | run.reading
        run.save(update_fields=["reading"])
    source = run.source
    dry_runs.start(
        run,
        on_conflict=on_conflict or source.on_conflict,
        is_snapshot=source.is_snapshot if is_snapshot is None else is_snapshot,
        user=user,
    )
    return run


def too_many_rejects(run: IngestionRun, dry: DryRun | None) -> str:
    """Why the draft would exceed its reject limit, by its dry run; empty if it would not."""
    if dry is None or dry.state != RunState.FINISHED:
        return ""
    read = dry.report["read"]
    # Rows that are no data don't count.
    rejected = dry.report["rejected"] - sum(
        reason["count"] for reason in dry.report["reasons"] if reason["code"] in NO_DATA
    )
    if not exceeds(run.max_rejects, rejected=rejected, read=read, at_end=True):
        return ""
    return (
        f"{rejected:,} of {read:,} rows would be rejected, and the limit is {run.max_rejects}. "
        "Raise the limit or fix the file."
    )


def adjust(run: IngestionRun, choice: Choice, seen: Look) -> bool:
    """Save the chosen settings; return whether they differ from those of the preview.

    ``seen`` is the preview that the choice was made on. A column that the input no longer has,
    because it is parsed differently now, is chosen again. A new dry run starts unless its report
    would be the same: the reject limit is only compared with the report. Raises InvalidReading,
    InvalidLimit and InvalidTimeZone.
    """
    check_reading(choice.reading)
    runs.check_time_zone(choice.mapping[ZONE])
    run.max_rejects = check_limit(choice.max_rejects)
    draft = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT)
    draft.update(max_rejects=run.max_rejects)
    same_reading = choice.reading == run.reading
    named = dict(choice.mapping)
    for name in (FORMAT, NUMBER_FORMAT):
        if not named[name]:
            # The format was not known when the page was made, or can't be detected.
            named[name] = seen.mapping[name]
    if NUMBERS in seen.mapping:
        named[NUMBERS] = seen.mapping[NUMBERS]
    same_policy = (choice.on_conflict, choice.is_snapshot) == (
        dry_runs.policy_of(run),
        dry_runs.is_snapshot(run),
    )
    if same_reading and named == seen.mapping and same_policy:
        return False
    if named["timestamp"] != seen.mapping["timestamp"] or not named[FORMAT]:
        named.pop(FORMAT)
    _name_number_format(named, run, seen)
    run.reading, run.mapping = choice.reading, named
    if not same_reading:
        prepared = look(run).prepared
        columns = set(prepared.columns if prepared else [])
        run.mapping = {
            role: named[role] for role in ROLES if named[role] and set(named[role]) <= columns
        }
        if FORMAT in named and "timestamp" in run.mapping:
            run.mapping[FORMAT] = named[FORMAT]
        run.mapping[ZONE] = named[ZONE]
        if not named[ZONE_COLUMN] or named[ZONE_COLUMN] in columns:
            run.mapping[ZONE_COLUMN] = named[ZONE_COLUMN]
        if NUMBER_FORMAT in named and "value" in run.mapping:
            run.mapping[NUMBER_FORMAT] = named[NUMBER_FORMAT]
    if draft.update(reading=run.reading, mapping=run.mapping):
        dry_runs.start(
            run, on_conflict=choice.on_conflict, is_snapshot=choice.is_snapshot, user=run.user
        )
    return True


def _name_number_format(named: dict[str, Any], run: IngestionRun, seen: Look) -> None:
    """Leave the number format in a mapping if a person has chosen it, now or before: what was
    detected is detected again, with all that belongs to it."""
    named.pop(NUMBERS, None)
    is_same = named["value"] == seen.mapping["value"]
    is_chosen = named[NUMBER_FORMAT] != seen.mapping[NUMBER_FORMAT] or NUMBER_FORMAT in run.mapping
    if not (is_same and is_chosen and named[NUMBER_FORMAT]):
        named.pop(NUMBER_FORMAT)


def question_of_missing(dry: DryRun | None) -> str:
    """What has to be confirmed about the records that the draft would close, by its dry run."""
    if dry is None or dry.state != RunState.FINISHED or not dry.report.get("missing"):
        return ""
    return Missing(**dry.report["missing"]).question


def load(
    run: IngestionRun, seen: Look, *, keeps_ids: bool = False, closes_many: bool = False
) -> None:
    """Start the import of a draft as previewed, and save its settings with the source.

    ``keeps_ids``: the person has said that rows which share an ID are to update each other, and
    ``closes_many`` that the file is complete, although more than half of the records are missing.
    Raises NotReady if something has to be chosen first. A draft is imported once.
    """
    obstacle = seen.obstacle or too_many_rejects(run, dry_runs.latest(run))
    if seen.shared_ids and not keeps_ids:
        obstacle = (
            obstacle or f"{seen.shared_ids.note(dry_runs.policy_of(run))} Choose what they become."
        )
    closes_many = closes_many or run.closes_many
    if (question := question_of_missing(dry_runs.latest(run))) and not closes_many:
        obstacle = obstacle or f"{question} Confirm that the file is complete."
    if obstacle or seen.prepared is None:
        raise NotReady(obstacle)
    # What the beginning of a large file suggests may not hold in all of it.
    mapping = dict(run.mapping if seen.awaited else seen.prepared.mapping)
    mapping.pop(NUMBERS, None)
    if NUMBER_FORMAT in run.mapping:
        mapping[NUMBER_FORMAT] = run.mapping[NUMBER_FORMAT]
    with transaction.atomic():
        loaded = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT).update(
            state=RunState.QUEUED, mapping=mapping, closes_many=closes_many
        )
        if not loaded:
            return
        source = Source.everything.filter(pk=run.source_id)
        before: dict[str, Any] = {
            "on_conflict": run.source.on_conflict,
            "is_snapshot": run.source.is_snapshot,
        }
        after: dict[str, Any] = {
            "on_conflict": dry_runs.policy_of(run),
            "is_snapshot": dry_runs.is_snapshot(run),
        }
        if repaired_run(Path(run.path)) is None:
            before["reading"], after["reading"] = run.source.reading, run.reading
        source.update(is_draft=False, **after)
        dry_runs.stop(run)
        runs.record_start(run, before=before, after=after)
    run.refresh_from_db()
    queue(run)


def alike(run: IngestionRun, seen: Look) -> list[str]:
    """The sources that a draft may belong to by its columns, if nobody has named its source."""
    if not run.source.is_draft or run.source.name != runs.source_name_of(run.file_name):
        return []
    columns = seen.prepared.columns if seen.prepared else []
    return Source.objects.with_columns(columns) if columns else []


def move(run: IngestionRun, source: Source) -> None:
    """Have a draft imported into another source, with the settings of that."""
    with transaction.atomic():
        dry_runs.stop(run)
        draft = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT)
        if draft.update(source=source, mapping={}, reading=source.reading):
            _drop_source(run.source_id)
            run.refresh_from_db()
            dry_runs.start(
                run,
                on_conflict=source.on_conflict,
                is_snapshot=source.is_snapshot,
                user=run.user,
            )


def discard(run: IngestionRun) -> None:
    """Delete a draft with its file, and its source if only drafts had it and this was the last."""
    with transaction.atomic():
        dry_runs.stop(run)
        discarded, _ = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT).delete()
        _drop_source(run.source_id)
        if discarded:
            _record(audit.Action.IMPORT_DISCARDED, run)
    inputs.forget(Path(run.path), kept_before=run.created_at)


def _record(action: audit.Action, run: IngestionRun) -> None:
    audit.record(
        action,
        kind="ingestion run",
        object_id=run.pk,
        label=run.file_name,
        source=run.source.name,
        after={"size": run.size} if action == audit.Action.IMPORT_UPLOADED else None,
    )


def _drop_source(pk: int) -> None:
    source = Source.everything.select_for_update().get(pk=pk)
    if source.is_draft and not source.ingestion_runs.exists():
        store.delete_source(source=source)
