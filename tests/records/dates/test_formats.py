"""Date formats: what they read, and which texts are formats."""

from datetime import UTC, datetime, timedelta

import pytest

from records.dates.formats import read_moment, reads_months, reads_years
from records.dates.names import months
from records.dates.zones import zone_of

NOON = datetime(2024, 1, 15, 12)  # noqa: DTZ001 (a local time)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d/%m/%Y %I:%M %p", "15/01/2024 12:00 p. m."),
        ("%d.%m.%Y %I:%M %p", "15.01.2024 12:00 μ.μ."),
        ("%A, %d. %B %Y %H:%M", "Montag, 15. Januar 2024 12:00"),
        ("%c", "Mon Jan 15 12:00:00 2024"),
        ("%d.%m.%Y|%d.%m.%Y %H:%M", "15.01.2024 12:00"),
        ("%b %d %Y %H:%M:%S", "ocak 15 2024 12:00:00"),
    ],
)
def test_a_pattern_reads_a_text(pattern, text):
    assert read_moment(pattern)(text, UTC) == NOON


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d.%m.%Y", "15.01.24"),
        ("%d %b %Y", "15 Foo 2024"),
        ("%A, %d. %B %Y", "Januar, 15. Januar 2024"),
        ("%H:%M %d.%m.%Y", "24:01 15.01.2024"),
        ("%I:%M %p %d.%m.%Y", "13:00 PM 15.01.2024"),
        ("iso", "20240115"),
        ("unix", "9" * 50),
        ("excel", "0"),
        ("%d.%m.%Y", "1" * 10_000),
    ],
)
def test_a_pattern_does_not_read_a_text(pattern, text):
    assert read_moment(pattern)(text, UTC) is None


@pytest.mark.parametrize("pattern", ["iso", "unix_ns", "%d.%m.%y", "iso|%d/%m/%Y|excel", "%c"])
def test_a_format_of_dates_gives_back_year_and_month(pattern):
    assert reads_years(pattern)
    assert reads_months(pattern)


@pytest.mark.parametrize("pattern", ["", "%H:%M", "%Y %Y", "%B", "iso|%H:%M", "%", "%q"])
def test_what_says_no_year_is_no_format_of_dates(pattern):
    assert not reads_years(pattern)


def test_a_year_alone_says_no_month():
    assert reads_years("%Y")
    assert not reads_months("%Y")


@pytest.mark.parametrize(
    ("name", "number"),
    [("January", 1), ("märz", 3), ("Mrz", 3), ("févr", 2), ("aout", 8), ("dic", 12), ("пн", None)],
)
def test_months_are_known_in_many_languages(name, number):
    assert months().get(name.casefold()) == number


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PST", -8), ("+01:00", 1), ("-0530", -5.5), ("UTC", 0), ("Z", 0), ("MESZ", 2)],
)
def test_a_zone_is_an_abbreviation_or_an_offset(text, hours):
    assert NOON.replace(tzinfo=zone_of(text)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "CST", "IST", "+25:00", "../etc/passwd", "X" * 999])
def test_what_names_no_single_zone_is_none(text):
    assert zone_of(text) is None
