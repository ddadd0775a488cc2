"""The column store finds the records that the database finds, whatever is asked."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from explore.columns.snapshot import Snapshot, snapshot
from explore.filters import RecordQuery
from explore.filters.conditions import Condition
from explore.filters.duckdb import matching
from explore.filters.operators import OPERATORS
from explore.filters.record_filter import RecordFilter
from records.database.moment import one_moment
from records.models import DataRecord, ProcessingResult, Source
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

CELLS = ["", " ", "\u2003\xa0", "\t\n", "\x1f", "x", "X", "xY", "é", "É", "ß", "ẞ", "ſ", "ı", "K",
         "a_b", "a%b", "a\\b", "%s", "a'b", 'a"b', "a:b", "5", "5.0", "05", " 12 ", "\t12\n",
         "\xa07", "1e400", "-1e400", "1e-400", "1e3", "1000", ".5", "5.", "+5", "0x1f", "1_000",
         "inf", "nan",
         "1" * 30, "0.1000000000000000000001", "9" * 60, "2026-03-01", "2026-03-02T10:00",
         "2026-02-29", "2024-02-29", "2026-13-01", "0000-01-01", "2026-03", "2026-03-01x", "𝒳",
         "true", "null", "[1]", "İ", "i̇"]  # fmt: skip
COLUMNS = ["n", "N", "n:o", "a%b", 'q"', "none", "value", "category"]
TEXTS = st.one_of(
    st.sampled_from([cell for cell in CELLS if cell]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
)


def conditions() -> st.SearchStrategy[str]:
    """Conditions as in a URL: any operator, with a value that it takes."""

    def written(operator: str) -> st.SearchStrategy[Condition]:
        known = OPERATORS[operator]
        values = TEXTS if known.takes_value else st.just("")
        if known.choices:
            values = st.sampled_from(known.choices)
        return st.builds(Condition, st.sampled_from(COLUMNS), st.just(operator), values)

    return st.sampled_from(list(OPERATORS)).flatmap(written).map(str)


PARAMETERS = st.one_of(
    st.tuples(st.just("source"), st.sampled_from(["shop", "depot", "none"])),
    st.tuples(st.just("status"), st.sampled_from(["raw", "processed", "failed"])),
    st.tuples(st.just("q"), st.sampled_from(["x", "É", "1", "zzz", "%", "shop:1"])),
    st.tuples(st.just("run"), st.sampled_from(["1", "999999"])),
    st.tuples(st.just("time_from"), st.sampled_from(["2026-03-02", "2026-03-01T13:00Z"])),
    st.tuples(st.just("time_to"), st.sampled_from(["2026-03-02", "2026-03-03T00:00Z"])),
    st.tuples(st.just("weekday"), st.sampled_from("1234567")),
    st.tuples(st.just("dated"), st.sampled_from("01")),
    st.tuples(st.just("closed"), st.sampled_from(["0", "1", "all"])),
    st.tuples(st.just("value_from"), st.sampled_from(["3", "7.5"])),
    st.tuples(st.just("value_to"), st.sampled_from(["9", "20.5"])),
    st.tuples(st.just("repaired"), st.sampled_from("01")),
    st.tuples(st.just("anomaly"), st.sampled_from("01")),
    st.tuples(st.just("category"), st.sampled_from(["toys", "food"])),
    st.tuples(st.just("reason"), st.sampled_from(["no", "Data validation failed"])),
    st.tuples(st.just("rule"), st.sampled_from(["required", "number"])),
    st.tuples(st.just("where"), conditions()),
    st.tuples(st.just("where"), conditions()),
    st.tuples(st.just("result"), conditions()),
)


@pytest.fixture
def landed(db, settings):
    """Records of every kind, with cells that are read in different ways."""
    settings.TIME_ZONE = "Asia/Kathmandu"
    count = len(CELLS)
    for place, source in enumerate(("shop", "depot")):
        for day in range(1, 5):
            rows = {
                f"{day}-{n}": sale(n, n=cell, N=CELLS[-n], **{"n:o": CELLS[(n * 7 + day) % count],
                                   "a%b": CELLS[(n * 3) % count], 'q"': CELLS[(n * 5) % count]})
                for n, cell in enumerate(CELLS[day - 1 :: 4])
            }  # fmt: skip
            rows |= {f"{day}-bad": sale(1, value="bad"), f"{day}-none": {"id": "x", "n": "5"}}
            rows |= {f"{day}-é": sale(2, category="Food")}
            moment = datetime(2026, 3, day, 18, 30, tzinfo=UTC) if day < 4 else None
            land(source, rows, timestamp=moment)
        if not place:
            process_all()
    some = ProcessingResult.objects.order_by("pk").values_list("pk", flat=True)[:3]
    ProcessingResult.objects.filter(pk__in=list(some)).update(anomaly="far off")
    last = ProcessingResult.objects.filter(success=True).order_by("-pk")[:2]
    for result, number in zip(last, (0.1 + 0.2, 1e300), strict=True):
        result.processed_data = {**result.processed_data, "value": number}
        result.save()
    # As a snapshot without them leaves them.
    closed = ["shop:1-1", "shop:2-bad", "depot:1-1"]
    run = DataRecord.objects.get(pk="depot:1-1").run
    DataRecord.objects.filter(pk__in=closed).update(closed_by=run)
    ProcessingResult.objects.filter(record_id__in=closed).update(current=False)


@pytest.fixture
def seen(landed):
    with one_moment(), snapshot(sources=Source.objects.names()) as found:
        yield found


def ids_of(query: RecordQuery, seen: Snapshot) -> list[str]:
    found = matching(query, seen)
    rows = seen.connection.execute(f"SELECT id FROM {found.sql}", found.parameters).fetchall()
    return sorted(row[0] for row in rows)


def expected(query: RecordQuery) -> list[str]:
    return sorted(query.queryset().values_list("pk", flat=True))


def of(parameters: list[tuple[str, str]]) -> RecordQuery:
    query = QueryDict(mutable=True)
    for name, value in parameters:
        if name in RecordFilter.repeatable():
            query.appendlist(name, value)
        else:
            query[name] = value
    return RecordQuery.parse(query)


@pytest.mark.parametrize("key", OPERATORS)
def test_each_operator_finds_the_same(seen, key):
    operator = OPERATORS[key]
    values = operator.choices or (CELLS if operator.takes_value else [""])
    different = []
    for value in values:
        for name in ("where", "result"):
            query = of([(name, str(Condition("n", key, value)))])
            if query.is_valid and ids_of(query, seen) != expected(query):
                different.append((name, value))
    assert different == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=st.lists(PARAMETERS, max_size=4))
@example(parameters=[("result", "value:number")])
@example(parameters=[("result", "value:gt:0.3")])
def test_any_filter_finds_the_same(seen, parameters):
    query = of(parameters)
    if query.is_valid:
        assert ids_of(query, seen) == expected(query)
