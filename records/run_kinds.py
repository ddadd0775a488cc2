"""All kinds of runs as one list, the newest first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from records.models import (
    DryRun,
    Export,
    IngestionRun,
    ProcessingRun,
    RuleDryRun,
    Run,
    Source,
    Undo,
)
from web.converters import GREATEST_ID


@dataclass(frozen=True, slots=True)
class RunKind:
    """A kind of run: its table, and which rows of that it is.

    ``source`` is the way to its source, ``table`` the name of its table in positions of the list.
    """

    name: str
    table: str
    model: type[Run]
    when: Q = field(default_factory=Q)
    source: str = "source"
    # Exports are for the person who asked for them.
    is_own: bool = False

    def runs(self, user: User | None) -> "QuerySet[Any]":
        """The runs of this kind that a user may see."""
        related = {"user", *([self.source] if self.source else [])}
        found = self.model.objects.filter(self.when).select_related(*related)
        return found.filter(user=user) if self.is_own else found


KINDS = {
    kind.name: kind
    for kind in (
        RunKind("ingestion", "ingestion", IngestionRun, Q(parent=None, is_rekey=False)),
        RunKind("replay", "ingestion", IngestionRun, Q(parent__isnull=False)),
        RunKind("rekey", "ingestion", IngestionRun, Q(is_rekey=True)),
        RunKind("processing", "processing", ProcessingRun),
        RunKind("dry_run", "dry_run", DryRun, source="run__source"),
        RunKind("rule_dry_run", "rule_dry_run", RuleDryRun),
        RunKind("undo", "undo", Undo, source="run__source"),
        RunKind("export", "export", Export, source="", is_own=True),
    )
}
# What the pages list as runs.
MAIN = ("ingestion", "replay", "rekey", "processing")


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs of several kinds, newest first; ``older`` is the position of what comes next."""

    runs: list[Any]
    older: dict[str, int] | None


def kind_of(run: Run) -> RunKind:
    """The kind of a run."""
    if isinstance(run, IngestionRun):
        if run.is_rekey:
            return KINDS["rekey"]
        return KINDS["replay" if run.parent_id else "ingestion"]
    return next(kind for kind in KINDS.values() if isinstance(run, kind.model))


def source_of(run: Any) -> Source | None:
    """The source of a run; None if it is over all sources, or over none."""
    if isinstance(run, DryRun | Undo):
        return run.run.source
    found: Source | None = getattr(run, "source", None)
    return found


def latest_runs(
    limit: int,
    *,
    kinds: Collection[str] = MAIN,
    source: Source | None = None,
    state: str = "",
    user: User | None = None,
    before: Mapping[str, int] | None = None,
) -> RunPage:
    """The newest ``limit`` runs of these kinds.

    ``before`` is a position: of each table the number that a run has to be older than. A run of
    processing without a source is one over all sources, so it belongs to each; an export belongs
    to none.
    """
    before = dict(before or {})
    found: list[Any] = []
    for kind in (KINDS[name] for name in kinds):
        runs = kind.runs(user).filter(pk__lt=before.get(kind.table, GREATEST_ID))
        if source is not None:
            runs = _of_source(kind, runs, source)
        if state:
            runs = runs.filter(state=state)
        found += runs.order_by("-pk")[: limit + 1]
    found.sort(key=lambda run: (run.created_at, run.pk), reverse=True)
    shown = found[:limit]
    if len(found) <= limit:
        return RunPage(shown, None)
    for run in shown:
        table = kind_of(run).table
        before[table] = min(before.get(table, GREATEST_ID), run.pk)
    return RunPage(shown, before)


def _of_source(kind: RunKind, runs: "QuerySet[Any]", source: Source) -> "QuerySet[Any]":
    if kind.model is ProcessingRun:
        return runs.covering(source)  # type: ignore[attr-defined]
    return runs.filter(**{kind.source: source}) if kind.source else runs.none()
