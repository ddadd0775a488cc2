"""Cells -> timestamps, many at once: what is read in columns is what is read one by one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.parsing.timestamps.moments import Moments
from ingestion.parsing.timestamps.search import FormatSearch, parser

VIENNA = ZoneInfo("Europe/Vienna")
# How people and programs write a moment: the format that a search finds, and a function.
WAYS = {
    "%Y-%m-%d %H:%M:%S": "iso",
    "%Y-%m-%dT%H:%M:%SZ": "iso",
    "%Y-%m-%dT%H:%M:%S.%fZ": "iso",
    "%Y-%m-%d %H:%M:%S UTC": "iso",
    "%Y-%m-%dT%H:%M:%S+00:00": "iso",
    "%d.%m.%Y %H:%M:%S": "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p": "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d%H%M%S": "%Y%m%d%H%M%S",
    "%a, %d %b %Y %H:%M:%S +0000": "%a, %d %b %Y %H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S": "%d-%b-%Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y": "%a %b %d %H:%M:%S %Y",
    "%d/%m/%y %H:%M:%S": None,
    "%m/%d/%y %H:%M:%S": None,
    "%y/%m/%d %H:%M:%S": None,
}
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31))  # noqa: DTZ001 (in UTC)


def read(cells, pattern="iso", zone=UTC, zones=None):
    return Moments(pattern, zone)(cells, range(2, len(cells) + 2), zones)


def one_by_one(cells, pattern, zone=UTC):
    parse = parser(pattern, zone)
    moments = map(parse, cells)
    return [moment and moment.isoformat(" ").removesuffix("+00:00") for moment in moments]


@given(st.lists(MOMENTS, min_size=1, max_size=40), st.sampled_from(list(WAYS)), st.randoms())
def test_moments_in_any_format_are_read_as_they_are_or_asked(moments, way, random):
    cells = [moment.strftime(way) for moment in moments]
    for place in range(len(cells)):
        if random.random() < 0.1:
            cells[place] = random.choice(["", "n/a", f" {cells[place]} "])
    search = FormatSearch(cells)
    expected = [
        moment.replace(microsecond=moment.microsecond if "%f" in way else 0).isoformat(" ")
        if cell.strip() not in ("", "n/a")
        else None
        for moment, cell in zip(moments, cells, strict=True)
    ]
    if search.best is None:
        assert sum(one is None for one in expected) * 2 >= len(set(cells)) - 1
    elif search.doubt is None:
        assert read(cells, search.best) == expected


@given(
    st.lists(
        st.one_of(
            st.datetimes().map(str),
            st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d}T{moment:%H:%M}Z"),
            st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{2}(Z|[+-][0-9]{4})"),
            st.text(max_size=12),
        ),
        min_size=12,
        max_size=60,
    ),
    st.sampled_from([UTC, VIENNA, ZoneInfo("Asia/Kolkata")]),
)
def test_iso_in_columns_is_iso_one_by_one(cells, zone):
    found, expected = read(cells, "iso", zone), one_by_one(cells, "iso", zone)
    # Times that exist twice are told apart by their order.
    assert [one for one in zip(found, expected, strict=True) if one[0] != one[1]] == [
        one
        for one in zip(found, expected, strict=True)
        if one[0] != one[1] and one[0] and one[1] and one[0] > one[1]
    ]


@pytest.mark.parametrize(
    ("pattern", "cells", "expected"),
    [
        ("iso", ["2024-1-5", "2024-12-3"], ["2024-01-05 00:00:00", "2024-12-03 00:00:00"]),
        ("iso", ["2024-01-15T10:22:11.1234567Z"], ["2024-01-15 10:22:11.123456"]),
        ("iso", ["2024-01-15T10:22:11-0500"], ["2024-01-15 15:22:11"]),
        ("iso", ["2024-01-15T10:22:11+01"], ["2024-01-15 09:22:11"]),
        ("iso", ["2024-02-29 24:00"], ["2024-03-01 00:00:00"]),
        ("iso", ["2023-02-29", "2024-01-32", "0000-01-01"], [None] * 3),
        ("iso", ["0001-01-01", "9999-12-31"], ["0001-01-01 00:00:00", "9999-12-31 00:00:00"]),
        ("unix", ["1705314131", "1705314131.5"],
         ["2024-01-15 10:22:11", "2024-01-15 10:22:11.500000"]),
        ("unix_ns", ["1705314131123456789"], ["2024-01-15 10:22:11.123456"]),
        ("%Y%j", ["2024366", "2023366"], ["2024-12-31 00:00:00", None]),
        ("excel", ["45306", "45309.5"], ["2024-01-15 00:00:00", "2024-01-18 12:00:00"]),
        ("%m/%d/%Y %I:%M %p", ["1/5/2024 12:05 AM", "1/5/2024 12:05 pm"],
         ["2024-01-05 00:05:00", "2024-01-05 12:05:00"]),
        ("%d %b %Y", ["5 Jan 2024", "05 MAY 2024", "5 Foo 2024"],
         ["2024-01-05 00:00:00", "2024-05-05 00:00:00", None]),
        ("%a, %d %b %Y %H:%M:%S %z",
         ["Mon, 15 Jan 2024 10:22:11 +0100", "Tue, 16 Jan 2024 10:22:11 GMT",
          "Foo, 16 Jan 2024 1:00:00 Z"],
         ["2024-01-15 09:22:11", "2024-01-16 10:22:11", None]),
        ("%d.%m.%Y|iso|excel", ["5.1.2024", "2024-01-06", "45298"],
         ["2024-01-05 00:00:00", "2024-01-06 00:00:00", "2024-01-07 00:00:00"]),
    ],
)  # fmt: skip
def test_a_format_is_read_alike_in_short_and_long_columns(pattern, cells, expected):
    assert read(cells, pattern) == expected
    assert read(cells * 20, pattern) == expected * 20


def test_a_cell_that_contains_a_line_end_moves_no_other():
    cells = ["2024-01-15", "2024-01-16\n", "a\nb", "2024-01-17"] * 5
    days = ["2024-01-15 00:00:00", "2024-01-16 00:00:00", None, "2024-01-17 00:00:00"]
    assert read(cells) == days * 5


def half_hours(start, count):
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    steps = [first + timedelta(minutes=30 * step) for step in range(count)]
    local = [f"{step.astimezone(VIENNA):%Y-%m-%d %H:%M}" for step in steps]
    return local, [f"{step:%Y-%m-%d %H:%M:%S}" for step in steps]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("chunk", [1_000, 3])
def test_times_that_exist_twice_are_told_apart_by_their_order(turned, chunk):
    cells, expected = half_hours("2024-10-26 22:00", 12)
    if turned:
        cells, expected = cells[::-1], expected[::-1]
    moments, found = Moments("iso", VIENNA), []
    for start in range(0, len(cells), chunk):
        found += moments(cells[start : start + chunk], range(start, len(cells)))
    moments.order.close()
    assert found == expected
    assert moments.order.untold.rows == 0


def test_hours_that_repeat_once_are_told_apart():
    cells = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    assert read(cells, "iso", VIENNA) == [
        "2024-10-26 23:00:00", "2024-10-27 00:00:00", "2024-10-27 01:00:00", "2024-10-27 02:00:00",
    ]  # fmt: skip


def test_a_time_that_exists_twice_is_counted_if_the_order_does_not_tell():
    moments = Moments("iso", VIENNA)
    moments(["2024-10-27 01:50", "2024-10-27 02:30", "2024-10-27 03:10"], [2, 3, 4])
    moments.order.close()
    assert (moments.order.untold.rows, moments.order.untold.first) == (1, 3)


def test_a_time_that_never_was_is_counted():
    moments = Moments("iso", VIENNA)
    assert moments(["2024-03-31 01:30", "2024-03-31 02:30"], [2, 3])[1] == "2024-03-31 01:30:00"
    assert (moments.never.rows, moments.never.first) == (1, 3)


def test_each_row_may_name_its_zone():
    cells = ["01/15/2024 23:22:11", *["07/17/2024 23:22:11"] * 3]
    zones = ["PST", "+01:00", "Europe/Vienna", "nowhere"]
    assert read(cells, "%m/%d/%Y %H:%M:%S", UTC, zones) == [
        "2024-01-16 07:22:11", "2024-07-17 22:22:11", "2024-07-17 21:22:11", None,
    ]  # fmt: skip


def test_an_abbreviation_of_several_zones_needs_the_zone_of_the_source():
    cells, zones = ["2024-01-15 10:00"], ["IST"]
    assert read(cells, "iso", UTC, zones) == [None]
    assert read(cells, "iso", ZoneInfo("Asia/Kolkata"), zones) == ["2024-01-15 04:30:00"]


def test_days_that_stand_for_an_unknown_date_are_counted():
    moments = Moments("iso")
    moments(["0001-01-01", "9999-12-31", "1900-01-01", "1900-01-02"] * 5, range(20))
    assert moments.placeholders == {"0001-01-01": 5, "9999-12-31": 5, "1900-01-01": 5}
