"""Pages by key: complete in both directions, and strict about their cursors."""

import base64
import zlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.models import DataRecord, IngestionRun, Source
from tests.landed import NOON, land, sale
from web.keyset import InvalidCursor, Page, page_of

# Any character that a key may hold: all but NUL and lone surrogates.
KEYS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)


def walk(limit: int, *, descending: bool = False) -> list[Page[DataRecord]]:
    pages = [page_of(DataRecord.objects.all(), cursor=None, limit=limit, descending=descending)]
    while cursor := pages[-1].next:
        pages.append(
            page_of(DataRecord.objects.all(), cursor=cursor, limit=limit, descending=descending)
        )
    return pages


def walk_back(page: Page[DataRecord], limit: int, *, descending: bool) -> list[Page[DataRecord]]:
    pages = [page]
    while cursor := pages[-1].previous:
        pages.append(
            page_of(DataRecord.objects.all(), cursor=cursor, limit=limit, descending=descending)
        )
    return pages[::-1]


def ids(pages: list[Page[DataRecord]]) -> list[list[str]]:
    return [[record.id for record in page.records] for page in pages]


@pytest.mark.django_db
@settings(max_examples=40)
@given(
    days=st.lists(st.none() | st.integers(0, 3), max_size=12),
    limit=st.integers(1, 5),
    descending=st.booleans(),
)
def test_a_walk_by_time_gives_each_record_once_those_without_a_time_as_the_oldest(
    db, days, limit, descending
):
    DataRecord.objects.all().delete()
    source, _ = Source.objects.get_or_create(name="s")
    DataRecord.objects.bulk_create(
        DataRecord(
            id=f"s:{number:02}",
            source=source,
            data={},
            created_at=NOON,
            timestamp=None if day is None else NOON + timedelta(days=day, microseconds=day),
        )
        for number, day in enumerate(days)
    )
    oldest_first = sorted(
        enumerate(days), key=lambda item: (-1 if item[1] is None else item[1], item[0])
    )
    expected = [f"s:{number:02}" for number, _ in oldest_first]
    if descending:
        expected.reverse()

    def page(cursor: str | None) -> Page[DataRecord]:
        return page_of(
            DataRecord.objects.all(),
            cursor=cursor,
            limit=limit,
            descending=descending,
            time="timestamp",
        )

    forth = [page(None)]
    while cursor := forth[-1].next:
        forth.append(page(cursor))
    back = [forth[-1]]
    while cursor := back[-1].previous:
        back.append(page(cursor))

    assert [record_id for page in ids(forth) for record_id in page] == expected
    assert ids(back[::-1]) == ids(forth)


@pytest.mark.django_db
@settings(max_examples=40)
@given(keys=st.sets(KEYS, max_size=12), limit=st.integers(1, 5), descending=st.booleans())
def test_a_walk_through_all_pages_and_back_gives_each_record_once(db, keys, limit, descending):
    DataRecord.objects.all().delete()
    source, _ = Source.objects.get_or_create(name="s")
    DataRecord.objects.bulk_create(
        DataRecord(id=f"s:{key}", source=source, data={}, created_at=NOON) for key in keys
    )
    expected = sorted((f"s:{key}" for key in keys), key=str.encode, reverse=descending)

    forth = walk(limit, descending=descending)
    back = walk_back(forth[-1], limit, descending=descending)

    assert [record_id for page in ids(forth) for record_id in page] == expected
    assert ids(back) == ids(forth)


@pytest.mark.django_db
def test_the_ends_of_the_list_have_no_page_behind_them():
    land("s", {str(number): sale(number) for number in range(4)})
    first, last = walk(2)
    assert (first.previous, last.next) == (None, None)
    assert last.previous is not None


@pytest.mark.django_db
def test_records_that_land_meanwhile_neither_repeat_nor_hide_others():
    land("s", {key: sale(1) for key in "bdf"})
    first = page_of(DataRecord.objects.all(), cursor=None, limit=2)
    land("s", {key: sale(1) for key in "ae"})
    second = page_of(DataRecord.objects.all(), cursor=first.next, limit=2)
    assert ids([first, second]) == [["s:b", "s:d"], ["s:e", "s:f"]]


@pytest.mark.django_db
@pytest.mark.parametrize("descending", [False, True])
def test_the_way_back_from_a_page_whose_records_are_gone_is_the_end_of_the_list(descending):
    land("s", {key: sale(1) for key in "abcd"})
    first, last = walk(2, descending=descending)
    DataRecord.objects.filter(pk__in=[record.pk for record in last.records]).delete()
    empty = page_of(DataRecord.objects.all(), cursor=first.next, limit=2, descending=descending)
    assert (empty.records, empty.next) == ([], None)
    back = page_of(DataRecord.objects.all(), cursor=empty.previous, limit=2, descending=descending)
    assert ids([back]) == ids([first])
    assert (back.previous, back.next) == (None, None)


@pytest.mark.django_db
def test_one_page_costs_one_query_that_neither_counts_nor_skips(django_assert_num_queries):
    land("s", {str(number): sale(number) for number in range(9)})
    cursor = page_of(DataRecord.objects.all(), cursor=None, limit=3).next
    with django_assert_num_queries(1) as queries:
        page_of(DataRecord.objects.all(), cursor=cursor, limit=3)
    sql = queries.captured_queries[0]["sql"]
    assert "OFFSET" not in sql
    assert "COUNT" not in sql


@pytest.mark.django_db
def test_rows_with_numbers_as_keys_have_pages_as_well():
    for _ in range(11):
        land("s", {})
    pages = [page_of(IngestionRun.objects.all(), cursor=None, limit=4, descending=True)]
    while pages[-1].next:
        pages.append(
            page_of(IngestionRun.objects.all(), cursor=pages[-1].next, limit=4, descending=True)
        )
    keys = [run.pk for page in pages for run in page.records]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == 11


def forged(content: bytes) -> str:
    checked = zlib.crc32(content).to_bytes(4, "big") + content
    return base64.urlsafe_b64encode(checked).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "ä",
        "\0",
        "AAAA",
        "AAAAAAAA",
        "a b",
        "%00",
        forged(b""),
        forged(b"zs:1"),
        forged(b"ns:\0"),
        forged(b"n\xff"),
    ],
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        page_of(DataRecord.objects.all(), cursor=cursor, limit=2)


@pytest.mark.django_db
def test_a_cursor_that_lost_or_changed_a_character_is_refused():
    land("s", {key: sale(1) for key in "abc"})
    cursor = page_of(DataRecord.objects.all(), cursor=None, limit=1).next
    assert cursor is not None
    damaged = {cursor[:at] + cursor[at + 1 :] for at in range(len(cursor))}
    damaged |= {cursor[:at] + "_" + cursor[at + 1 :] for at in range(len(cursor))} - {cursor}
    for text in damaged:
        with pytest.raises(InvalidCursor):
            page_of(DataRecord.objects.all(), cursor=text, limit=1)


@pytest.mark.django_db
def test_a_cursor_with_a_key_of_another_kind_is_refused():
    with pytest.raises(InvalidCursor):
        page_of(IngestionRun.objects.all(), cursor=forged(b"ns:1"), limit=2)
