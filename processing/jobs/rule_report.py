"""Tests draft rules on all records of a source. Nothing is written.

A test reports what processing all records with the draft would do, compared with their current
results. Records that have not been processed have none to compare with and are counted separately.
Each record is used as it is when its chunk is read, with facts about the whole source that are
gathered before, as in a run.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min

from processing.engine.changes import cells_of, changed_columns, columns_with, differs
from processing.engine.trace import Touch, is_same_cell, trace
from processing.jobs.batch_work import make_outcomes
from processing.jobs.facts import StillHere, facts_of
from processing.rules import ABSENT, Step
from processing.rules.base import as_text
from processing.rules.check import check_rules
from processing.rules.facts import Facts
from processing.rules.size import BatchTooLarge
from records.gc_tuning import tuned_gc
from records.models import DataRecord, ProcessingBatch, ProcessingRun, RuleSet, Selection, Source
from records.rows import FormerOutcome, Outcome, RawRecord
from records.store.readings import FormerText, Text, read, read_results

# The first chunk tells how large records are; a chunk is then of so many characters at the most.
FIRST_ROWS = 2_000
CHUNK_CHARACTERS = 8_000_000
# So many groups (rule and column) are told apart, with so many examples of each kind.
GROUPS = 200
EXAMPLES = 3
# As much of a cell is shown.
CHARACTERS = 300

Report = dict[str, Any]
# Told how many records have been examined.
OnChunk = Callable[[int], None]


def examine_rules(
    source: Source,
    rules: list[Step],
    on_chunk: OnChunk = lambda records: None,
    still_here: StillHere = lambda: None,
) -> Report:
    """The effect of draft rules on all records of a source, as plain JSON.

    - ``records``; ``processed``, ``failed``, ``repaired``: what a run over all of them would count
    - ``failing``: how many fail ``newly``, ``no_longer``, or still, for ``another_reason``
    - ``changed``: ``records`` whose outcome is another one, and ``cells`` of cleaned data, in those
      that are processed before and after; the moment of processing does not count
    - ``anomalies``: how many are flagged in ``total``, ``newly``, and ``no_longer``
    - ``waiting``: ``records`` without a result, and how many of these are ``failing``
    - ``rules``: the same by rule and column, with examples. A cell is put down to the step that
      gave it its new content; to no rule where none changes it any more.

    ``still_here`` is called through the silence before the first chunk. Raises InvalidRules.
    """
    check_rules(rules)
    began = time.perf_counter()
    draft = RuleSet(source=source, rules=rules)
    findings = _Findings(draft, facts_of(source.name, rules, still_here))
    after, size = "", min(FIRST_ROWS, settings.BATCH_ROWS)
    # While one chunk is worked on, the database reads the next.
    with tuned_gc(), ThreadPoolExecutor(1) as executor:
        working: Future[None] | None = None
        while chunk := next_chunk(source, after, size):
            rows, results = read(chunk), read_results(chunk)
            if working:
                working.result()
                on_chunk(findings.records)
            working = executor.submit(findings.add, rows, results)
            after = chunk.last
            each = max((len(rows.rows) + len(results.rows)) / chunk.records, 1)
            size = max(1, min(settings.BATCH_ROWS, int(CHUNK_CHARACTERS / each)))
        if working:
            working.result()
            on_chunk(findings.records)
    return findings.report() | {"seconds": round(time.perf_counter() - began, 3)}


def next_chunk(source: Source, after: str, size: int) -> ProcessingBatch | None:
    """The next records of a source behind an id, as the batch of a run would hold them."""
    ahead = DataRecord.objects.of_source(source.name).open().after(after).order_by("id")
    ends = ahead[:size].aggregate(first=Min("id"), last=Max("id"), records=Count("id"))
    run = ProcessingRun(source=source, selection=Selection.ALL)
    return ProcessingBatch(run=run, source=source.name, **ends) if ends["records"] else None


@dataclass(slots=True)
class _Group:
    """What comes of one rule in one column."""

    rule: str
    column: str
    failing: int = 0
    newly: int = 0
    no_longer: int = 0
    cells: int = 0
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def show(self, what: str, example: dict[str, Any]) -> None:
        """Keep an example, unless there are enough of its kind."""
        shown = self.examples.setdefault(what, [])
        if len(shown) < EXAMPLES:
            shown.append(example)


class _Changed:
    """A record that is processed before and after, with another outcome."""

    __slots__ = ("after", "before", "columns", "record")

    def __init__(
        self, record: RawRecord, before: dict[str, Any], after: dict[str, Any], now: float
    ) -> None:
        self.record, self.before, self.after = record, before, after
        self.columns = changed_columns(before, after, now)


class _Findings:
    """Compares what the draft makes of records with what they have, and counts."""

    def __init__(self, draft: RuleSet, facts: Facts) -> None:
        self.records = 0
        self._draft, self._facts = draft, facts
        self._source = draft.source
        self._counts = dict.fromkeys(
            (
                "processed", "failed", "repaired",
                "newly", "no_longer", "another_reason",
                "changed", "cells",
                "flagged", "newly_flagged", "no_longer_flagged",
                "waiting", "waiting_failing",
            ),
            0,
        )  # fmt: skip
        self._groups: dict[tuple[str, str], _Group] = {}
        self._others = _Group("", "")

    def add(self, rows: Text, results: FormerText) -> None:
        """Count what comes of a chunk of records, which have these results."""
        self._add(rows.reading().records, results.outcomes(), time.time())

    def _add(
        self, records: Sequence[RawRecord], formers: Mapping[str, FormerOutcome], now: float
    ) -> None:
        try:
            self._add_at_once(records, formers, now)
        except BatchTooLarge:
            middle = len(records) // 2
            self._add(records[:middle], formers, now)
            self._add(records[middle:], formers, now)

    def _add_at_once(
        self, records: Sequence[RawRecord], formers: Mapping[str, FormerOutcome], now: float
    ) -> None:
        outcomes = make_outcomes(records, self._draft, self._source, now, self._facts)
        processed = cells_of(outcomes)
        moments = columns_with(now, processed)
        changed: list[_Changed] = []
        for record, outcome, cells in zip(records, outcomes, processed, strict=True):
            self._count(outcome)
            former = formers.get(record.id)
            if former is None:
                self._counts["waiting"] += 1
                self._counts["waiting_failing"] += not outcome.success
            elif differs(outcome, cells, former, now, moments):
                self._counts["changed"] += 1
                self._compare(former, outcome)
                if former.success and outcome.success:
                    before = former.processed or {}
                    changed.append(_Changed(record, before, cells or {}, now))
        self._put_down(changed, now)
        self.records += len(outcomes)

    def _count(self, outcome: Outcome) -> None:
        counts = self._counts
        counts["processed" if outcome.success else "failed"] += 1
        if outcome.repairs:
            counts["repaired"] += 1
        if outcome.anomaly is not None:
            counts["flagged"] += 1
        for rule, column in dict.fromkeys((e["rule"], e["column"]) for e in outcome.errors):
            self._group(rule, column).failing += 1

    def _compare(self, former: FormerOutcome, outcome: Outcome) -> None:
        """Count in what way an outcome differs from a result."""
        if outcome.anomaly is not None and former.anomaly is None:
            self._counts["newly_flagged"] += 1
        if outcome.anomaly is None and former.anomaly is not None:
            self._counts["no_longer_flagged"] += 1
        if former.success and not outcome.success:
            self._counts["newly"] += 1
            for error in outcome.errors:
                group = self._group(error["rule"], error["column"])
                group.newly += 1
                group.show("newly", _told(outcome.record_id, error))
        elif outcome.success and not former.success:
            self._counts["no_longer"] += 1
            for error in former.errors:
                group = self._group(error.get("rule", ""), error.get("column", ""))
                group.no_longer += 1
                group.show("no_longer", _told(outcome.record_id, error))
        elif not outcome.success:
            self._counts["another_reason"] += 1

    def _put_down(self, changed: Sequence[_Changed], now: float) -> None:
        """Put the cells that change down to the rules that change them."""
        if not changed:
            return
        try:
            touches = trace(
                [row.record.data for row in changed],
                self._draft.rules,
                now,
                facts=self._facts,
                ids=[row.record.id for row in changed],
            )
        except BatchTooLarge:
            middle = len(changed) // 2
            self._put_down(changed[:middle], now)
            self._put_down(changed[middle:], now)
            return
        by_column: dict[str, list[Touch]] = {}
        for touch in reversed(touches):
            for name in touch.cells:
                by_column.setdefault(name, []).append(touch)
        for place, row in enumerate(changed):
            for name in row.columns:
                group = self._group(_rule_of(by_column.get(name, ()), name, place), name)
                group.cells += 1
                self._counts["cells"] += 1
                if len(group.examples.get("cells", ())) < EXAMPLES:
                    example = {"id": row.record.id, "before": _cell(row.before, name)}
                    group.show("cells", example | {"after": _cell(row.after, name)})

    def _group(self, rule: str, column: str) -> _Group:
        group = self._groups.get((rule, column))
        if group is None:
            if len(self._groups) == GROUPS:
                return self._others
            group = self._groups[rule, column] = _Group(rule, column)
        return group

    def report(self) -> Report:
        """What was found; see examine_rules()."""
        counts = self._counts
        groups = sorted(
            self._groups.values(),
            key=lambda g: (-(g.newly + g.no_longer + g.cells), -g.failing, g.rule, g.column),
        )
        return {
            "source": self._source.name,
            "records": self.records,
            **{name: counts[name] for name in ("processed", "failed", "repaired")},
            "failing": {name: counts[name] for name in ("newly", "no_longer", "another_reason")},
            "changed": {"records": counts["changed"], "cells": counts["cells"]},
            "anomalies": {
                "total": counts["flagged"],
                "newly": counts["newly_flagged"],
                "no_longer": counts["no_longer_flagged"],
            },
            "waiting": {"records": counts["waiting"], "failing": counts["waiting_failing"]},
            "rules": [_as_json(group) for group in groups],
            "others": _as_json(self._others) if len(self._groups) == GROUPS else None,
        }


def _rule_of(touches: Sequence[Touch], name: str, place: int) -> str:
    """The rule that gave a cell its content: of the steps, last first, that touched its column."""
    for touch in touches:
        before, after = touch.cells[name]
        if not is_same_cell(before[place], after[place]):
            return str(touch.step["rule"])
    return ""


def _told(record_id: str, error: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": record_id,
        "value": _cell(error, "value"),
        "message": str(error.get("message", "")),
    }


def _cell(row: Mapping[str, Any], name: str) -> str | None:
    """A cell as text to be shown; None where there is none."""
    cell = row.get(name, ABSENT)
    if cell is ABSENT:
        return None
    text = as_text(cell)
    return text if len(text) <= CHARACTERS else text[:CHARACTERS] + "…"


def _as_json(group: _Group) -> dict[str, Any]:
    return {
        "rule": group.rule,
        "column": group.column,
        "failing": group.failing,
        "newly": group.newly,
        "no_longer": group.no_longer,
        "cells": group.cells,
        "examples": group.examples,
    }
