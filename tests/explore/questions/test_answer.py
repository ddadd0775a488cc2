"""Answers are those of the records behind them: each mark is followed to its list."""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from explore.filters import RecordQuery
from explore.filters.sql import NUMBER
from explore.questions.answer import NoAnswer, answer, answered, limited, opened
from explore.questions.question import Question
from records.models import DataRecord, ProcessingResult, Source
from tests.landed import land, process_all

pytestmark = pytest.mark.django_db

REGIONS = ["North", "north", "", " ", "South", "a:b", "50%", "a\\b", "é", "(others)", "x" * 600]
AMOUNTS = ["0.1", "0.2", "12.50", " 7 ", "-3", "", "n/a", "1e3", "1e400", "100", "2.675", "1_0"]
DAYS = ["2026-03-01", "2026-03-29T10:00", "2026-12-31", "2027-01-01", "", "soon", "2026-02-30"]


@pytest.fixture
def landed(db, settings):
    settings.TIME_ZONE = "Europe/Vienna"
    first = datetime(2025, 12, 30, 22, 30, tzinfo=UTC)
    for source in ("shop", "depot"):
        mapping = {"id": ["id"], "timestamp": [], "value": ["Total"], "category": ["Region"]}
        Source.objects.get_or_create(name=source, defaults={"mapping": mapping})
        rows: dict[int, dict[str, dict[str, str]]] = {place: {} for place in range(12)}
        for n in range(60):
            rows[n % 12][str(n)] = {
                "id": str(n),
                "Region": REGIONS[n % len(REGIONS)],
                "Total": AMOUNTS[n * 5 % len(AMOUNTS)],
                "Amount": AMOUNTS[n * 7 % len(AMOUNTS)],
                "Day": DAYS[n * 3 % len(DAYS)],
            }
        for place, some in rows.items():
            moment = first + timedelta(days=place * 9.9, hours=place % 5) if place else None
            land(source, some, timestamp=moment)
        if source == "shop":
            process_all()


def query_of(parameters: str) -> RecordQuery:
    query = RecordQuery.parse(QueryDict(parameters))
    assert query.is_valid, query.errors
    return query


def records_behind(url: str) -> list[DataRecord]:
    assert url.startswith("/explore/")
    return list(query_of(urlsplit(url).query).queryset())


def sum_of(cells: Iterable[object]) -> float | None:
    """The sum of the numbers among cells, read here once more."""
    numbers = [Decimal(str(cell).strip()) for cell in cells if re.match(NUMBER, str(cell))]
    finite = [number for number in numbers if math.isfinite(float(number))]
    return float(sum(finite)) if finite else None


def made_of(records: list[DataRecord], column: str) -> list[object]:
    """The processed cells of a column."""
    ids = [record.pk for record in records if record.status == "processed"]
    made = ProcessingResult.objects.current().filter(record_id__in=ids)
    return [result.processed_data.get(column) for result in made]


GROUPS = st.lists(
    st.sampled_from(
        ["Region", "Day", "Total", "result:Total", "bin:Total", "bin:Amount", "record:source",
         "record:status",
         "hour", "day", "week", "month", "quarter", "year", "weekday", "day:Day", "week:Day",
         "result:Region", "month:Day", "quarter:Day", "year:Day", "weekday:Day"]
    ),
    max_size=2, unique=True,
)  # fmt: skip
FILTERS = st.sampled_from(
    ["", "source=shop", "source=depot", "status=processed&status=raw", "where=Amount:gt:1",
     "where=Region:eq:North&where=Region:eq:South", "time_from=2026-01-05T10:00Z", "weekday=1",
     "time_to=2026-02-10", "where=Amount:filled&source=shop", "q=north", "dated=1",
     "result=Total:gt:0.15", "where=Region:contains:É", "source=none"]
)  # fmt: skip


@pytest.fixture
def seen(landed):
    with opened(RecordQuery()) as found:
        yield found


@settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(groups=GROUPS, filters=FILTERS, top=st.sampled_from([None, None, 1, 3]))
def test_every_mark_leads_to_its_records(seen, groups, filters, top):
    chosen = QueryDict(mutable=True)
    chosen.setlist("measure", ["sum:Total", "sum:Amount", "count"])
    chosen.setlist("by", groups)
    if top and "result:Total" not in groups:
        chosen["top"] = str(top)
    query = query_of(filters)
    found = answered(Question.parse(dict(chosen.lists())), query, *seen)
    assert found.total.records == query.queryset().count()
    assert sum(row.records for row in found.rows) == found.total.records
    for mark in [*found.rows, *found.firsts, *found.seconds, found.total]:
        if not mark.url:
            assert any(len(part.value) > 500 or part.value == "(others)" for part in mark.parts)
            continue
        records = records_behind(mark.url)
        assert len(records) == mark.records, (mark, mark.url)
        amounts = [record.data.get("Amount") for record in records]
        expected = sum_of(made_of(records, "Total")), sum_of(amounts), len(records)
        assert mark.figures == expected, mark


def test_what_takes_too_long_is_stopped(db):
    endless = "SELECT sum(hash(a.range)) FROM range(10000000) a, range(100000)"
    with (
        opened(RecordQuery()) as (seen, _),
        pytest.raises(NoAnswer, match="stopped after"),
        limited(seen.connection, 0.1),
    ):
        seen.connection.execute(endless)


def test_sums_of_money_are_exact(landed):
    land("till", {str(n): {"id": str(n), "Price": cell} for n, cell in enumerate(["0.1"] * 10)})
    found = answer(
        Question.parse({"measure": ["sum:Price", "mean:Price"]}), query_of("source=till")
    )
    assert found.total.figures == (1.0, 0.1)
