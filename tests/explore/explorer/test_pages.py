"""Pages in the order of time: complete, though they look only at the days that hold them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.explorer.pages import page_of_records
from explore.filters import RecordQuery
from records.models import DataRecord, RecordCount, Source
from records.store import check_counts
from tests.landed import NOON
from web.keyset import Page

ORDERS = st.sampled_from(["timestamp", "-timestamp"])


def page_at(query: str, cursor: str | None, limit: int) -> Page[DataRecord]:
    found = RecordQuery.parse(QueryDict(query))
    assert found.is_valid, found.errors
    return page_of_records(found, found.queryset(), cursor=cursor, limit=limit)


def make(days: list[float | None]) -> None:
    """Records on days before and after one day; every third has failed."""
    DataRecord.objects.all().delete()
    RecordCount.objects.all().delete()
    source, _ = Source.objects.get_or_create(name="s")
    DataRecord.objects.bulk_create(
        DataRecord(
            id=f"s:{number:03}",
            source=source,
            data={"parity": str(number % 2)},
            created_at=NOON,
            status="failed" if number % 3 == 0 else "raw",
            timestamp=None if day is None else NOON + timedelta(days=day),
        )
        for number, day in enumerate(days)
    )
    check_counts(repair=True)


@pytest.mark.django_db
@settings(max_examples=60)
@given(
    days=st.lists(st.none() | st.integers(0, 8).map(lambda half: half / 2), max_size=30),
    limit=st.integers(1, 4),
    sort=ORDERS,
    asked=st.sampled_from(["", "&source=s", "&status=failed", "&where=parity:eq:1"]),
)
def test_a_walk_through_all_pages_and_back_gives_each_record_that_a_filter_finds_once(
    db, days, limit, sort, asked
):
    make(days)
    query = f"sort={sort}{asked}"
    found = [
        (datetime.min.replace(tzinfo=UTC) if day is None else NOON + timedelta(days=day), number)
        for number, day in enumerate(days)
        if not (asked.startswith("&status") and number % 3)
        and not (asked.startswith("&where") and number % 2 == 0)
    ]
    expected = [f"s:{n:03}" for _, n in sorted(found, reverse=sort.startswith("-"))]

    forth = [page_at(query, None, limit)]
    while cursor := forth[-1].next:
        forth.append(page_at(query, cursor, limit))
    back = [forth[-1]]
    while cursor := back[-1].previous:
        back.append(page_at(query, cursor, limit))

    assert [record.id for page in forth for record in page.records] == expected
    assert [page.records for page in reversed(back)] == [page.records for page in forth]


@pytest.mark.django_db
@pytest.mark.parametrize("sort", ["timestamp", "-timestamp"])
@pytest.mark.parametrize("asked", ["", "&status=failed"])
def test_a_page_looks_once_and_only_at_the_days_that_hold_it(sort, asked):
    make([number / 4 for number in range(100)])
    pages = [page_at(f"sort={sort}{asked}", None, 5)]
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            pages.append(page_at(f"sort={sort}{asked}", pages[-1].next, 5))

        looks = [query["sql"] for query in captured if 'FROM "data_records"' in query["sql"]]
        assert len(looks) == 1
        assert '"data_records"."timestamp" >=' in looks[0]
        assert '"data_records"."timestamp" <' in looks[0]


@pytest.mark.django_db
def test_where_counters_do_not_tell_enough_the_whole_list_is_looked_at():
    make([number / 4 for number in range(200)])
    DataRecord.objects.filter(timestamp__gt=NOON + timedelta(days=1)).update(data={})

    page = page_at("sort=-timestamp&where=parity:eq:1", None, 2)

    assert [record.id for record in page.records] == ["s:003", "s:001"]
