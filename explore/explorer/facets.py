"""Facets: the values of the records that match a filter, with counts, to filter further.

Each counts what all other filters find, so that one more of its values can be taken in. Over few
records, and wherever the store's counters tell, counts are exact; over many they are estimated
from a sample, and say so. So the work for a facet is bounded, however large the tables are.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum, TextField, Value
from django.db.models.functions import Coalesce

from explore.filters import RecordQuery
from explore.filters.conditions import Condition
from explore.filters.sql import Cell
from records.database import bulk
from records.models import DataRecord, IngestionRun, RecordCount
from records.visible_sources import limited_to

# Among more records than these, facets are counted in a sample of so many.
EXACT = 100_000
SAMPLE = 5_000
# Where the sources looked at are a small part of the table, its sample is larger, up to this.
MOST_SAMPLED = 25_000
# How many values a facet shows, the most frequent ones.
SHOWN = 10
# Longer texts would make the list of a facet a page of its own.
LONGEST = 200
NOTHING = "No matching records have a value in this column."
TOO_LONG = "Very long values are not listed."

LABELS = {
    "status": "Status",
    "source": "Source",
    "category": "Category",
    "run": "Ingestion run",
    "reason": "Failure reason",
}
COUNTED = ("status", "source")
EVERYTHING = RecordQuery()
# Statuses stand in the order in which a record has them, sources in that of their names, whether
# anybody has counted or not; values of other facets by how frequent they are.
COURSE = {status: place for place, status in enumerate(DataRecord.Status.values)}


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value, as a parameter and in words; ``count`` is None where nobody has counted."""

    value: str
    text: str
    count: int | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A parameter and the values by which it may be narrowed; ``remark`` tells of others."""

    name: str
    label: str
    values: list[FacetValue]
    is_sampled: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the records: all that matter, or drawn by chance; then each stands for ``weight``."""

    ids: list[str]
    weight: float = 1
    is_drawn: bool = False


def quick_facets(query: RecordQuery) -> list[Facet]:
    """Status and source: with counts where these are known without counting."""
    return [_counted(name, query) for name in COUNTED]


def all_facets(query: RecordQuery, *, column: str = "") -> list[Facet]:
    """Every facet with counts, that of a column of the data too. The query is valid."""
    sample = _sample(query)
    found = _among(sample, query)
    facets = []
    for name in LABELS:
        if name in COUNTED and _is_known(query, name):
            facets.append(_counted(name, query))
        elif found and not query.texts(name):
            facets.append(_grouped(name, EVERYTHING, found))
        else:
            facets.append(_grouped(name, query, sample))
    if column and found and not query.texts("where"):
        facets.append(_of_column(column, EVERYTHING, found))
    elif column:
        facets.append(_of_column(column, query))
    return [facet for facet in facets if facet.values or facet.remark]


def _among(sample: Sample | None, query: RecordQuery) -> Sample | None:
    """Those of a sample that meet all filters: most facets count them, and ask nothing more.

    All of them, where few are looked at anyway; None where there is no need for either.
    """
    if sample is None and not query.is_of_few:
        return None
    if not query.chosen:
        return sample
    records = query.queryset()
    if sample is not None:
        records = records.filter(pk__in=sample.ids)
    ids = list(records.order_by().values_list("pk", flat=True))
    return replace(sample, ids=ids) if sample else Sample(ids)


def _is_known(query: RecordQuery, name: str) -> bool:
    """Whether the store's counters tell, which know source and status."""
    return query.chosen.keys() - {name} <= set(COUNTED)


def _counted(name: str, query: RecordQuery) -> Facet:
    chosen = query.texts(name)
    rows = RecordCount.objects.open().order_by()
    counts: dict[str, int | None] = {}
    if _is_known(query, name):
        for other in COUNTED:
            if other != name and (wanted := query.texts(other)):
                rows = rows.filter(**{f"{other}__in": wanted})
        found = rows.values_list(name).annotate(records=Sum("count"))
        counts = {value: int(count) for value, count in found if count or value in chosen}
    elif name == "status":
        counts = dict.fromkeys(DataRecord.Status.values)
    else:
        counts = dict.fromkeys(rows.values_list(name, flat=True).distinct())
    return Facet(name, LABELS[name], _in_order(name, _values(counts.items(), chosen)))


def _grouped(name: str, query: RecordQuery, sample: Sample | None) -> Facet:
    others = query.without(name)
    rows: QuerySet[Any, Any]
    if name in ("category", "reason"):
        field = "category" if name == "category" else "error_message"
        rows = others.results().exclude(**{field: None})
        key = "record_id"
    else:
        field = {"run": "run_id"}.get(name, name)
        rows, key = others.queryset(), "id"
    counts = _top(rows, field, key, sample)
    texts = _runs(counts) if name == "run" else {}
    chosen = query.texts(name)
    pairs = [
        (text, count)
        for value, count in counts.items()
        if value is not None and 0 < len(text := str(value)) <= LONGEST
    ]
    values = _in_order(name, _values(pairs, chosen, texts))
    return Facet(name, LABELS[name], values, _is_drawn(sample))


def _of_column(column: str, query: RecordQuery, sample: Sample | None = None) -> Facet:
    """The values of a column, which are conditions on its cells."""
    prefix = str(Condition(column, "eq"))
    chosen = [text for text in query.texts("where") if text.startswith(prefix)]
    others = query
    for text in chosen:
        others = others.without("where", value=text)
    sample = sample or _sample(others)
    cell = Coalesce(Cell(column), Value("", output_field=TextField()))
    counts = _top(others.queryset().annotate(cell=cell), "cell", "id", sample)
    pairs = {prefix + value: count for value, count in counts.items() if len(value) <= LONGEST}
    texts = {prefix + value: value or "(empty)" for value in counts}
    texts |= {text: text.removeprefix(prefix) or "(empty)" for text in chosen}
    values = _values(pairs.items(), chosen, texts)
    remark = NOTHING if set(counts) == {""} else TOO_LONG if len(pairs) < len(counts) else ""
    return Facet("where", column, values, _is_drawn(sample), remark)


def _top(rows: "QuerySet[Any, Any]", field: str, key: str, sample: Sample | None) -> dict[Any, int]:
    """The most frequent values of a field, and how many rows have each."""
    if sample is not None:
        rows = rows.filter(**{f"{key}__in": sample.ids})
    counted = rows.order_by().values_list(field).annotate(records=Count("pk"))
    weight = sample.weight if sample else 1
    top = counted.order_by("-records", field)[:SHOWN]
    return {value: round(count * weight) for value, count in top}


def _values(
    counts: Iterable[tuple[str, int | None]],
    chosen: Sequence[str],
    texts: dict[str, str] | None = None,
) -> list[FacetValue]:
    known = dict(counts)
    texts = texts or {}
    return [
        FacetValue(value, texts.get(value, value), known.get(value), value in chosen)
        for value in [*known, *(value for value in dict.fromkeys(chosen) if value not in known)]
    ]


def _in_order(name: str, values: list[FacetValue]) -> list[FacetValue]:
    if name == "status":
        return sorted(values, key=lambda item: COURSE[item.value])
    return sorted(values, key=lambda item: item.value) if name == "source" else values


def _runs(numbers: Iterable[Any]) -> dict[str, str]:
    named = IngestionRun.objects.filter(pk__in=[number for number in numbers if number])
    return {str(pk): f"{pk}: {name}" for pk, name in named.values_list("pk", "file_name")}


def _counted_records(sources: Sequence[str]) -> int:
    """How many records the sources have; without any all of them."""
    counts = RecordCount.objects.filter(source__in=sources) if sources else RecordCount.objects
    return int(counts.aggregate(records=Sum("count"))["records"] or 0)


def _is_drawn(sample: Sample | None) -> bool:
    return sample is not None and sample.is_drawn


def _sample(query: RecordQuery) -> Sample | None:
    """Ids of records by chance, of which about SAMPLE are among those that a filter looks at: the
    ones of its sources. None where they are few enough to look at each."""
    records = _counted_records(query.sources)
    if records <= EXACT or query.is_of_few:
        return None
    with limited_to(None):
        # The sample is one of the whole table, with what is hidden.
        all_records = _counted_records([])
    share = min(SAMPLE / records, MOST_SAMPLED / all_records)
    with connection.cursor() as cursor:
        if bulk.is_postgresql():
            # Whole pages of the table, the same each time.
            pages = "SELECT id FROM data_records TABLESAMPLE SYSTEM (%s) REPEATABLE (1)"
            cursor.execute(pages, [share * 100])
        else:
            cursor.execute("SELECT max(rowid) FROM data_records")
            last = cursor.fetchone()[0] or 0
            numbers = random.Random(1).sample(range(1, last + 1), round(last * share))  # noqa: S311
            cursor.execute(
                "SELECT id FROM data_records WHERE rowid IN (SELECT value FROM json_each(%s))",
                [str(numbers)],
            )
        # As a list, which is looked up id by id: beside a subquery whole tables would be read.
        ids = [record_id for (record_id,) in cursor.fetchall()]
    # What came, not what was asked for: of few pages by chance the one is far from the other.
    return Sample(ids, all_records / max(len(ids), 1), is_drawn=True)
