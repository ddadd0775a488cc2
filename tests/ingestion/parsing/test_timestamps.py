"""Text -> moments: one format an input, told from its cells, never guessed row by row."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.parsing.timestamps.patterns import FORMATS
from ingestion.parsing.timestamps.search import Doubt, FormatSearch, detect_format, parser


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2025-03-04", "2025-12-31T10:00:00Z", "2025-01-01 10:00"], "iso"),
        (["1/5/2019 13:08", "1/27/2019 10:29"], "%m/%d/%Y %H:%M"),
        (["27.1.2019", "1.2.2019"], "%d.%m.%Y"),
        (["8/15/14", "4/12/14"], "%m/%d/%y"),
        (["2003-06", "2003-12"], "%Y-%m"),
        (["1700000000", "1700003600"], "unix"),
        (["1705314131123", "1705314132123"], "unix_ms"),
        (["1705314131123456789"], "unix_ns"),
        (["20240115102211", "20240115102212"], "%Y%m%d%H%M%S"),
        (["2024011500", "2024011523", "2024011399"], "%Y%m%d%H"),
        (["2024015", "2024117"], "%Y%j"),
        (["2024-117", "2024-366"], "%Y-%j"),
        (["2024-W03-1"], "%G-W%V-%u"),
        (["2024-01-15 10:22:11 UTC", "2024-1-5"], "iso"),
        (["Mon, 15 Jan 2024 10:22:11 +0100"], "%a, %d %b %Y %H:%M:%S %z"),
        (["15. Januar 2024", "3. März 2024"], "%d. %b %Y"),
        (["3 janv. 2024", "15 août 2024"], "%d %b %Y"),
        (["3 de enero de 2024"], "%d de %b de %Y"),
        (["5 lutego 2024", "5 stycznia 2024"], "%d %b %Y"),
        (["5 января 2024"], "%d %b %Y"),
        (["5 Şubat 2024", "5 EKİM 2024"], "%d %b %Y"),
        (["January 15th, 2024"], "%b %d, %Y"),
        (["1/15/2024, 1:05:09\u202fPM"], "%m/%d/%Y, %I:%M:%S %p"),
        (["15.01.2024 10:22", "15.01.2024"], "%d.%m.%Y %H:%M|%d.%m.%Y"),
        (["45306", "2024-01-16", "17/01/2024", "45309.5"], "iso|%d/%m/%Y|excel"),
        (["20240115", "00000000", "20240117"], "%Y%m%d"),
        (["1234", "5678", "9999"], None),
        (["red", "green"], None),
        (["", " "], None),
    ],
)
def test_the_format_is_told_from_the_texts(texts, expected):
    assert detect_format(texts) == expected


def test_dates_that_can_be_read_two_ways_leave_a_doubt():
    search = FormatSearch(["", "03/03/2025", "03/04/2025", "05/06/2025"])
    assert search.doubt == Doubt("%m/%d/%Y", "%d/%m/%Y", "03/04/2025")
    assert search.doubt.readings == [("%m/%d/%Y", "4 March 2025"), ("%d/%m/%Y", "3 April 2025")]


@pytest.mark.parametrize(
    ("texts", "best", "rival"),
    [
        (["24/01/15", "24/01/16"], "%d/%m/%y", "%y/%m/%d"),
        (["201201", "201202"], "%Y%m", "%y%m%d"),
        (["01022024", "03042024"], "%d%m%Y", "%m%d%Y"),
    ],
)
def test_an_order_that_no_date_tells_is_in_doubt(texts, best, rival):
    doubt = FormatSearch(texts).doubt
    assert doubt is not None
    assert (doubt.best, doubt.rival) == (best, rival)


def test_with_dots_the_day_comes_first():
    search = FormatSearch(["15.01.24", "16.01.24"])
    assert (search.best, search.doubt) == ("%d.%m.%y", None)
    assert FormatSearch(["99.01.15", "98.12.31"]).best == "%y.%m.%d"


@pytest.mark.parametrize("pattern", ["%d/%m/%y", "%y/%m/%d"])
def test_years_of_two_digits_are_those_that_change_little(pattern):
    search = FormatSearch(
        [datetime(2024, 1, day, tzinfo=UTC).strftime(pattern) for day in range(1, 32)]
    )
    assert (search.best, search.doubt) == (pattern, None)


def test_one_date_that_decides_leaves_no_doubt():
    search = FormatSearch(["03/04/2025", "05/16/2025"])
    assert (search.best, search.doubt) == ("%m/%d/%Y", None)
    assert not search.is_open


def test_a_later_date_decides_and_one_that_nobody_can_read_does_not():
    search = FormatSearch(["03/04/2025 08:30"])
    search.add(["", "soon", "04/05/2025 09:00"])
    assert search.is_open
    assert search.doubt is not None
    search.add(["05/06/2025 09:00", "25/03/2025 09:00", "03/26/2025 09:00"])
    assert search.best == "%d/%m/%Y %H:%M"
    assert not search.doubt


def test_dates_that_mean_the_same_either_way_leave_a_doubt_only_once_others_do_not():
    search = FormatSearch(["03/03/2025"])
    assert search.doubt is None
    assert search.is_open
    search.add(["03/04/2025"])
    assert search.doubt == Doubt("%m/%d/%Y", "%d/%m/%Y", "03/04/2025")


def test_dates_that_contradict_each_other_leave_a_doubt():
    doubt = FormatSearch(["25/03/2025", "03/25/2025"]).doubt
    assert doubt is not None
    assert dict(doubt.readings) == {"%m/%d/%Y": "no date", "%d/%m/%Y": "25 March 2025"}


def test_a_time_without_an_offset_is_local_to_the_zone():
    read = parser("iso", ZoneInfo("Europe/Berlin"))
    assert read("2025-07-01 12:00") == datetime(2025, 7, 1, 10, 0, tzinfo=UTC)
    assert read("2025-07-01T12:00:00+05:00") == datetime(2025, 7, 1, 7, 0, tzinfo=UTC)


@given(st.text(max_size=30), st.sampled_from(FORMATS))
def test_any_text_is_an_aware_moment_or_none(text, pattern):
    moment = parser(pattern)(text)
    assert moment is None or moment.tzinfo is UTC
