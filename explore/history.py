"""The history of a record, in order: its origin, what each rule did, the result, and later changes.

The record's page and ``manage.py explain`` show it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.shortcuts import resolve_url
from django.utils import timezone

from explore.explorer.table import in_order
from processing.explanation import AppliedRule, steps_of
from records.cell_changes import Change, cell_changes
from records.json_text import json_text
from records.models import DataRecord, IngestionRun, ProcessingResult, RecordVersion, RejectedRow

# At most so many versions and results are listed, the newest ones.
HISTORY = 50


@dataclass(slots=True)
class Part:
    """One thing that happened to the record.

    ``kind`` is one of read, updated, edited, undone, processed, failed, waits, closed, reopened,
    rekeyed. ``cells`` is the row as it was read; ``changes`` are those to the row before; ``notes``
    are sentences.
    """

    kind: str
    title: str
    when: datetime | None
    url: str = ""
    notes: list[str] = field(default_factory=list)
    cells: Mapping[str, Any] | None = None
    changes: list[Change] = field(default_factory=list)
    steps: list[AppliedRule] = field(default_factory=list)


def history(record: DataRecord) -> list[Part]:
    """What happened to a record, in order."""
    versions = list(
        record.versions.select_related("run", "replaced_by_run", "replaced_by_user").order_by(
            "-version"
        )[:HISTORY]
    )[::-1]
    found = ProcessingResult.objects.of_record(record.pk).select_related("run", "rule_set")
    results = list(found.order_by("-pk")[:HISTORY])[::-1]
    # When each content came, and what it was: the row of each version, then what it is now.
    contents = [(former.run, former.line, former.data) for former in versions]
    contents.append((record.run, record.line, record.data))
    came = [record.created_at, *(former.replaced_at for former in versions)]
    parts: list[Part] = []
    for number, (run, line, data) in enumerate(contents):
        if number == 0:
            parts.append(_read(record, versions, run, line, data))
        else:
            parts.append(_replaced(versions[number - 1], line, data))
        until = came[number + 1] if number + 1 < len(came) else None
        while results and (until is None or results[0].created_at < until):
            parts.append(_processed(results.pop(0), data))
    parts = _in_time(record, parts, [*_closings(record), *_keys(record)])
    if record.closed_by_id is None and record.status == DataRecord.Status.RAW:
        again = " again" if any(part.kind in ("processed", "failed") for part in parts) else ""
        parts.append(Part("waits", f"Waiting to be processed{again}", None))
    return parts


def _in_time(record: DataRecord, parts: list[Part], others: list[Part]) -> list[Part]:
    """The parts, and among them, in the order of time, the others."""
    if not others:
        return parts
    # A stable sort; what has no time of its own stays in front.
    return sorted([*parts, *others], key=lambda part: part.when or record.created_at)


def _keys(record: DataRecord) -> Iterator[Part]:
    """How runs have given the record another key, the newest ones."""
    for row in record.keys.select_related("run").order_by("-pk")[:HISTORY]:
        name = f"run {row.run_id}"
        former, new = (text.partition(":")[2] for text in (row.former_id, row.new_id))
        yield Part(
            "rekeyed", f"Key changed from {former} to {new} by {name}", row.at, _url(row.run)
        )
        if row.undone_at:
            title = f"Key {former} given back when {name} was undone"
            yield Part("undone", title, row.undone_at, _url(row.run))


def _closings(record: DataRecord) -> Iterator[Part]:
    """How the record was closed and reopened."""
    for row in record.closings.select_related("run").order_by("-at")[:HISTORY]:
        name = f"ingestion run {row.run_id}"
        if row.is_closed:
            kind, title = "closed", f"Closed: missing from {row.run.file_name}"
            undone = f"No longer closed by {name}, which was undone"
        else:
            kind, title = "reopened", f"Reopened by {row.run.file_name}"
            undone = f"No longer reopened by {name}, which was undone"
        yield Part(kind, title, row.at, _url(row.run))
        if row.undone_at:
            yield Part("undone", undone, row.undone_at, _url(row.run))


def _read(
    record: DataRecord,
    versions: list[RecordVersion],
    run: IngestionRun | None,
    line: int | None,
    data: Mapping[str, Any],
) -> Part:
    if versions and versions[0].version > 1:
        title = f"Version {versions[0].version} (earlier versions not shown)"
        return Part("read", title, None, _url(run), cells=data)
    cells = {name: data[name] for name in in_order(run.columns if run else [], dict(data))}
    part = Part(
        "read", f"Imported from {_place(run, line)}", record.created_at, _url(run), cells=cells
    )
    part.notes += _rejected_before(record, run)
    return part


def _replaced(former: RecordVersion, line: int | None, data: Mapping[str, Any]) -> Part:
    changes = cell_changes(former.data, data)
    run, user = former.replaced_by_run, former.replaced_by_user
    match former.reason:
        case RecordVersion.Reason.EDIT:
            kind, title = "edited", f"Edited{f' by {user}' if user else ''}"
        case RecordVersion.Reason.UNDO:
            by = f" by {user}" if user else ""
            name = f"ingestion run {run.pk}" if run else "a run"
            kind, title = "undone", f"Restored when {name} was undone{by}"
        case _:
            kind, title = "updated", f"Updated from {_place(run, line)}"
    part = Part(kind, title, former.replaced_at, _url(run), changes=changes)
    if not changes:
        part.notes.append("No cell changed, only the timestamp or the order of the columns.")
    return part


def _place(run: IngestionRun | None, line: int | None) -> str:
    """Where a row stood, in words."""
    if run is None:
        return "an unknown run"
    if run.pages and line is not None:
        page = _page(run, line)
        if page is not None:
            return f"page {page[0]} of the API, row {page[1]} ({page[2]})"
    where = f"line {line:,} of " if line is not None else ""
    return f"{where}{run.file_name}"


def _page(run: IngestionRun, line: int) -> tuple[int, int, str] | None:
    """The page of an API that a row came on, its place there, and the address: each row of a page
    is a line of the kept input."""
    ends = list(accumulate(int(page.get("rows", 0)) for page in run.pages))
    for number, (page, end) in enumerate(zip(run.pages, ends, strict=True), start=1):
        if line <= end:
            return number, line - (end - int(page.get("rows", 0))), str(page.get("url", ""))
    return None


def _rejected_before(record: DataRecord, run: IngestionRun | None) -> Iterator[str]:
    """How the row stood before a replay made a record of it."""
    if run is None or run.parent_id is None:
        return
    for row in RejectedRow.objects.filter(resolved_by=run, record_id=record.pk)[:1]:
        repaired = ", then repaired" if row.fixed else ""
        yield (
            f"Rejected in ingestion run {row.run_id} at line {row.line:,}{repaired}: {row.message}"
        )


def _processed(result: ProcessingResult, data: Mapping[str, Any]) -> Part:
    by = f" with rules version {result.rule_set.version}" if result.rule_set else ""
    if result.success:
        part = Part("processed", f"Processed{by}", result.created_at, _url(result.run))
    else:
        part = Part("failed", f"Failed{by}", result.created_at, _url(result.run))
        part.notes.append(result.error_message or "No reason given.")
    part.steps = _steps(result, data)
    if result.success and not part.steps:
        part.notes.append("No rule changed anything.")
    if not result.current:
        part.notes.append("Replaced by a newer result.")
    return part


def _steps(result: ProcessingResult, data: Mapping[str, Any]) -> list[AppliedRule]:
    """What each step did; as far as the result itself tells where nobody can say."""
    steps = steps_of(result, data)
    if steps is not None:
        return steps
    steps = [
        AppliedRule(None, str(repair.get("rule")), [_repair(repair)])
        for repair in result.repairs
    ]  # fmt: skip
    steps += [AppliedRule(None, str(error.get("rule")), errors=[error]) for error in result.errors]
    if result.anomaly:
        steps.append(AppliedRule(None, "anomaly", anomalies=[result.anomaly]))
    return steps


def _repair(repair: Mapping[str, Any]) -> Change:
    return Change(
        str(repair.get("column")), repair.get("before"), repair.get("after"), is_repair=True
    )


def _url(run: Any) -> str:
    return resolve_url(run) if run else ""


def lines(record: DataRecord) -> Iterator[str]:
    """The history as lines of text for a terminal; control characters are not escaped yet."""
    yield f"History of {record.pk}"
    for number, part in enumerate(history(record), start=1):
        when = f" ({timezone.localtime(part.when):%Y-%m-%d %H:%M:%S %Z})" if part.when else ""
        yield f"{number}. {part.title}{when}"
        for name, cell in (part.cells or {}).items():
            yield f"   {name} = {json_text(cell)}"
        for change in part.changes:
            yield f"   {_said(change)}"
        for step in part.steps:
            yield f"   {f'Rule {step.number}' if step.number else 'Rule'}: {step.words}"
            for change in step.changes:
                yield f"     {_said(change)}"
            for error in step.errors:
                column = f"{error['column']} " if error.get("column") else ""
                read = f" (value: {json_text(error['value'])})" if error.get("value") else ""
                yield f"     failed: {column}{error.get('message', '')}{read}"
            for reason in step.anomalies:
                yield f"     flagged: {reason}"
        for note in part.notes:
            yield f"   {note}"


def _said(change: Change) -> str:
    before = json_text(change.before) if change.was_there else "missing"
    after = json_text(change.after) if change.is_there else "removed"
    return f"{change.column}: {before} -> {after}{', repaired' if change.is_repair else ''}"
