"""The facts about sources that the rules of a run ask for: gathered once, the same for everybody.

The first worker that needs them reads all rows of the source and keeps what it found with the run.
The others, on whatever machine, take that. So the outcome of a record depends neither on its batch
nor on its worker; records that land while a run goes on are judged by the facts at its beginning.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from processing.engine.known_facts import (
    Gatherer,
    KnownFacts,
    asking,
    columns_asked,
    measuring,
)
from processing.rules import Step, lookup, references_in
from processing.rules.facts import NO_FACTS, Facts, Reference, Table
from records import store
from records.json_text import parsed
from records.models import (
    DataRecord,
    ProcessingFacts,
    ProcessingRun,
    RecordCount,
    RuleSet,
    Source,
)

# So many rows are read at once at the most, and fewer where they are large.
READ_ROWS = 5_000
FIRST_ROWS = 500
READ_CHARACTERS = 8_000_000
# A lookup keeps all records of the other source in memory, and with the run.
MOST_REFERENCED = 200_000
# Called again and again through the silence of a long reading: it renews a lease, or raises.
StillHere = Callable[[], None]


class RunFacts:
    """The facts of the sources of a run, each asked for once by whoever holds this."""

    def __init__(self, run: ProcessingRun, still_here: StillHere = lambda: None) -> None:
        self._run, self._still_here = run, still_here
        self._known: dict[int, Facts] = {}

    def of(self, rule_set: RuleSet) -> Facts:
        """The facts for a version of a source's rules."""
        if not asking(rule_set.rules):
            return NO_FACTS
        if rule_set.pk not in self._known:
            self._known[rule_set.pk] = self._kept(rule_set)
        return self._known[rule_set.pk]

    def _kept(self, rule_set: RuleSet) -> Facts:
        kept = ProcessingFacts.objects.filter(run=self._run, rule_set=rule_set).first()
        if kept is None:
            found = facts_of(rule_set.source.name, rule_set.rules, self._still_here)
            if not isinstance(found, KnownFacts):
                return found
            kept = store.keep_facts(run=self._run, rule_set=rule_set, facts=found.as_json())
        return KnownFacts.from_json(kept.facts)


def facts_of(source: str, rules: Iterable[Step], still_here: StillHere = lambda: None) -> Facts:
    """The facts that rules ask for about a source, from all its current rows.

    Reads the rows once, unless no step in force asks for anything; ``still_here`` is called with
    each part of them.
    """
    rules = list(rules)
    if not asking(rules):
        return NO_FACTS
    tables = {each: table_of(each, still_here) for each in references_in(rules)}
    gatherer, names = Gatherer(rules, tables), columns_asked(rules)
    for row_ids, rows in read_rows(source, names, still_here) if measuring(rules) else ():
        gatherer.add(row_ids, rows)
    return gatherer.facts()


def read_rows(
    source: str, names: Sequence[str], still_here: StillHere
) -> Iterator[tuple[Sequence[str], list[dict[str, Any]]]]:
    """Ids and these cells of all records of a source, part by part in the order of the ids."""
    for ids, texts in _parts(source):
        still_here()
        rows = map(parsed, texts)
        yield ids, [{name: row[name] for name in names if name in row} for row in rows]


def table_of(reference: Reference, still_here: StillHere) -> Table:
    """What a reference holds, from all open records of its source; or why it can't be used."""
    name = reference.source
    source = Source.objects.named(name)
    if source is None:
        return Table({}, f"there is no source {name!r}")
    records = RecordCount.objects.of_source(name).open().records()
    if records > MOST_REFERENCED:
        return Table({}, f"{name!r} has {records:,} records, the limit is {MOST_REFERENCED:,}")
    names = [reference.key, *reference.columns]
    parts = read_rows(name, names, still_here)
    return lookup.table_of((row for _, rows in parts for row in rows), reference)


def _parts(source: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ids and data, part by part in the order of the ids. Each part is a question of its own, as a
    lease could not be renewed, on SQLite, while one is open."""
    records = DataRecord.objects.of_source(source).open().order_by("id").texts()
    part = list(records[: min(FIRST_ROWS, READ_ROWS)])
    while part:
        ids, texts = zip(*part, strict=True)
        yield ids, texts
        each = max(sum(map(len, texts)) // len(texts), 1)
        size = max(1, min(READ_ROWS, READ_CHARACTERS // each))
        part = list(records.filter(id__gt=ids[-1])[:size])
