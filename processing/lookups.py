"""Lookups in other sources: whether they can work, and what follows when these sources change."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from processing.errors import InvalidRules
from processing.rules import KINDS, Step, references_in
from processing.rules.facts import Reference
from records.jobs.runner import queue
from records.models import DataRecord, ProcessingRun, RuleSet, RunState, Selection, Source
from records.visible_sources import limited_to

# Runs over which a change of another source is sure to reach all records.
THOROUGH = (Selection.ALL, Selection.CHANGED)


def check_lookups(rules: Iterable[Step]) -> None:
    """Raise InvalidRules if rules look up what is not there, or what their author may not see.

    The rules themselves are valid.
    """
    for number, step in enumerate(rules, start=1):
        for reference in references_in([step]):
            if problem := _problem(reference):
                raise InvalidRules(f"Rule {number}: {problem}")


def _problem(reference: Reference) -> str | None:
    source = Source.objects.named(reference.source)
    if source is None:
        names = Source.objects.values_list("name", flat=True)
        return f"there is no source {reference.source!r}{_hint(reference.source, names)}"
    records = DataRecord.objects.of_source(source.name).open()
    for name in (reference.key, *reference.columns):
        # The columns of the newest file may lack what records of others have.
        if name not in source.columns and not records.filter(data__has_key=name).exists():
            hint = _hint(name, source.columns)
            return f"{source.name!r} has no column {name!r}{hint}"
    return None


def _hint(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else "."


def queue_followers(name: str) -> None:
    """Records of a source have changed: have others processed that look them up.

    Only results that come out differently are replaced. A run that has not begun will find the
    change, so no other is queued then; one that was interrupted keeps what it has looked up.
    """
    # With it come numpy and the engine, which those who only check rules need not load.
    from processing.jobs.process import create_run

    with limited_to(None):
        for source in _followers(name):
            waiting = ProcessingRun.objects.covering(source).filter(
                state=RunState.QUEUED, started_at=None, selection__in=THOROUGH
            )
            if not waiting.exists():
                queue(
                    create_run(
                        trigger="worker", source_name=source.name, selection=Selection.CHANGED
                    )
                )


def _followers(name: str) -> Iterator[Source]:
    """The sources whose rules look something up in the source of this name."""
    for rule_set in RuleSet.objects.newest().select_related("source"):
        rules = [step for step in rule_set.rules if step.get("rule") in KINDS]
        if any(reference.source == name for reference in references_in(rules)):
            yield rule_set.source
