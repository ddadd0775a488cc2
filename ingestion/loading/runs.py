"""Ingestion runs, created: one for each input and source."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from ingestion.errors import (
    InvalidDateFormat,
    InvalidNumberFormat,
    InvalidSourceName,
    InvalidTimeZone,
)
from ingestion.loading.reject_limit import check_limit
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN
from ingestion.parsing.number_format import NUMBER_FORMAT
from records.jobs import leases
from records.models import IngestionRun, RunState, Source
from records.models.mappings import check_format, check_zone
from records.number_decision import FORMATS
from records.permissions import Action, check
from records.visible_sources import check_visible


def source_name_of(file_name: str) -> str:
    """The default source of a file: its name without the extension."""
    stem = file_name.split(".")[0] or file_name
    return re.sub(r"[^\w.-]+", "_", stem).strip("_.-")[:100] or "upload"


def create_run(
    *,
    path: Path,
    file_name: str,
    trigger: str,
    source_name: str | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    timestamp_format: str = "",
    timestamp_zone: str = "",
    timestamp_zone_column: str = "",
    number_format: str = "",
    user: User | None = None,
    reading: Mapping[str, Any] | None = None,
    state: RunState = RunState.QUEUED,
    max_rejects: str = "",
    on_conflict: str = "",
    is_snapshot: bool | None = None,
    closes_many: bool = False,
    keeps_outcomes: bool = False,
    save: bool = True,
) -> IngestionRun:
    """Create a run for a file; a source that does not exist is created (a draft's is hidden).

    ``roles`` are the columns that the user mapped; other roles come from the source's mapping, or
    are proposed by column names. ``timestamp_format`` is the date format, ``timestamp_zone`` the
    zone of times without an offset, or ``timestamp_zone_column`` the column that names it;
    ``number_format`` is that of the value column as an example (1.234,56), ``trigger`` how the file
    came in; ``reading`` are the parsing options (see ingestion.parsing.dialect); the rest is
    detected. ``on_conflict`` is the source's policy for existing records from now on, and
    ``is_snapshot`` whether its files hold all its records from now on, so that missing ones are
    closed; with ``closes_many`` by this file also if these are more than half. With more
    rejected rows than ``max_rejects`` ("500", "2%") the run stops. A run in the state "draft" waits
    for a person (see ingestion.loading.drafts). One that ``keeps_outcomes`` imports the items of a
    request (see ingestion.loading.items). Without ``save`` neither the run nor a new source
    is stored. Raises InvalidSourceName, InvalidLimit, InvalidDateFormat, InvalidTimeZone,
    InvalidNumberFormat, and PermissionDenied for a
    hidden source, or another policy of a source whose settings the user may not change.
    """
    name = source_name if source_name is not None else source_name_of(file_name)
    check_visible(name)
    try:
        Source(name=name).clean_fields(exclude=["mapping"])
    except ValidationError as error:
        raise InvalidSourceName(name) from error
    mapping: dict[str, Any] = {role: list(columns) for role, columns in (roles or {}).items()}
    if check_date_format(timestamp_format):
        mapping[FORMAT] = timestamp_format
    if check_time_zone(timestamp_zone):
        mapping[ZONE] = timestamp_zone
    if timestamp_zone_column:
        mapping[ZONE_COLUMN] = timestamp_zone_column
    if check_number_format(number_format):
        mapping[NUMBER_FORMAT] = number_format
    known = Source.objects.named(name)
    if user is not None and known is not None and on_conflict not in ("", known.on_conflict):
        # It is a setting of the source, whichever way it is changed.
        check(user, Action.CHANGE_SOURCE)
    run = IngestionRun(
        source=known or Source(name=name),
        path=str(path.resolve()),
        file_name=file_name[:255],
        size=path.stat().st_size if path.exists() else 0,
        mapping=mapping,
        trigger=trigger,
        user=user,
        reading=dict(reading or {}),
        state=state,
        max_rejects=check_limit(max_rejects),
        closes_many=closes_many,
        keeps_outcomes=keeps_outcomes,
    )
    if save:
        run.source = Source.everything.ensured(name, draft=state == RunState.DRAFT)
    wanted: dict[str, Any] = {"on_conflict": on_conflict} if on_conflict else {}
    if is_snapshot is not None:
        wanted["is_snapshot"] = is_snapshot
    former = {name: getattr(run.source, name) for name in ("on_conflict", "is_snapshot")}
    for name, value in wanted.items():
        setattr(run.source, name, value)
    if save:
        with transaction.atomic():
            if wanted:
                Source.everything.filter(pk=run.source_id).update(**wanted)
            run.save()
            if state != RunState.DRAFT:
                record_start(run, before=former, after={**former, **wanted})
    return run


def end_events(run: IngestionRun) -> None:
    """End a run that takes events, since something is to be done with it; the next event opens
    another. Other runs, and those that have ended, stay as they are."""
    if run.takes_events:
        leases.finish(run, run.worker)


def record_start(
    run: IngestionRun,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Enter the start of an import into the audit log; ``before`` and ``after`` are settings of its
    source that it changes."""
    audit.record(
        audit.Action.IMPORT_STARTED,
        kind="ingestion run",
        object_id=run.pk,
        label=run.file_name,
        source=run.source.name,
        before=before or {},
        after={"size": run.size, "started by": run.trigger, **(after or {})},
        actor=audit.worker() if run.trigger == "schedule" else None,
    )


def check_date_format(text: str) -> str:
    """Return a date format, or "" for none, unchanged. Raises InvalidDateFormat."""
    try:
        if text:
            check_format(text)
    except ValidationError as error:
        raise InvalidDateFormat(text) from error
    return text


def check_time_zone(text: str) -> str:
    """Return a time zone, or "" for none, unchanged. Raises InvalidTimeZone."""
    try:
        if text:
            check_zone(text)
    except ValidationError as error:
        raise InvalidTimeZone(text) from error
    return text


def check_number_format(text: str) -> str:
    """Return a number format, or "" for none, unchanged. Raises InvalidNumberFormat."""
    if text and text not in FORMATS:
        raise InvalidNumberFormat(text)
    return text
