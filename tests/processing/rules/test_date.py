"""Dates and times."""

import pytest

from processing.rules import ABSENT
from tests.processing.rules.carried_out import carry_out, problem


def test_a_time_is_told_in_utc():
    seen = carry_out(
        "date",
        ["02.01.2025 10:00", "02.07.2025 10:00"],
        formats=["%d.%m.%Y %H:%M"],
        zone="Europe/Vienna",
    )
    assert seen.cells == ["2025-01-02T09:00:00+00:00", "2025-07-02T08:00:00+00:00"]


def test_a_date_stays_the_day_that_is_written():
    given = {"formats": ["%d.%m.%Y", "iso"], "becomes": "date", "zone": "Asia/Tokyo"}
    seen = carry_out("date", ["02.01.2025", " 2025-01-03 ", "2025-01-04T23:00:00-10:00"], **given)
    assert seen.cells == ["2025-01-02", "2025-01-03", "2025-01-04"]


def test_the_first_format_that_fits_is_taken():
    assert carry_out(
        "date", ["03/04/2025"], formats=["%d/%m/%Y", "%m/%d/%Y"], becomes="date"
    ).cells == ["2025-04-03"]
    assert carry_out(
        "date", ["03/14/2025"], formats=["%d/%m/%Y", "%m/%d/%Y"], becomes="date"
    ).cells == ["2025-03-14"]


def test_a_time_that_says_its_zone_keeps_it():
    seen = carry_out("date", ["2025-01-02T10:00:00+02:00"], formats=["iso"], zone="Asia/Tokyo")
    assert seen.cells == ["2025-01-02T08:00:00+00:00"]


def test_seconds_since_1970():
    seen = carry_out("date", ["1735776000", 0, 1e30, "x"], formats=["unix"], on_failure="empty")
    assert seen.cells == ["2025-01-02T00:00:00+00:00", "1970-01-01T00:00:00+00:00", None, None]


@pytest.mark.parametrize(
    "cell",
    [
        "31.02.2025",
        "soon",
        20250102,
        1.5,
        [],
        {},
        True,
        "\uff10\uff12.01.2025",
        "0" * 10_000,
        "20250102",
    ],
)
def test_what_is_no_date_fails_or_is_emptied(cell):
    given = {"formats": ["%d.%m.%Y", "iso"]}
    assert carry_out("date", [cell], **given).messages == {
        0: "is not a date in the format '%d.%m.%Y' or 'iso'"
    }
    assert carry_out("date", [cell], on_failure="empty", **given).repairs == {0: (cell, None)}


def test_what_says_nothing_stays():
    cells = [ABSENT, None, " "]
    assert carry_out("date", cells, formats=["iso"]) == (cells, {}, {})


def test_a_month_is_its_first_day():
    assert carry_out("date", ["2025-03"], formats=["%Y-%m"], becomes="date").cells == ["2025-03-01"]


def test_the_ends_of_the_calendar_are_no_error():
    given = {"formats": ["iso"], "zone": "Asia/Tokyo", "on_failure": "empty"}
    assert carry_out("date", ["0001-01-01", "9999-12-31T23:59:59-05:00"], **given).cells == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"formats": ["%H:%M"]}, "'%H:%M' is not a format with year and month"),
        ({"formats": ["%d.%m."]}, "is not a format"),
        ({"formats": ["soon"]}, "is not a format"),
        ({"formats": ["%"]}, "is not a format"),
        ({"formats": ["%s"]}, "is not a format"),
        ({"formats": ["%d.%m.%Y %Y"]}, "'%d.%m.%Y %Y' is not a format"),
        ({"formats": []}, "a list of texts"),
        ({}, "'formats' of 'date' must be a list of texts"),
        ({"formats": ["iso"], "zone": "Mars"}, "must be a time zone"),
        ({"formats": ["iso"], "zone": "../etc/passwd"}, "must be a time zone"),
        ({"formats": ["iso"], "zone": "Europe"}, "must be a time zone"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("date", column="c", **given)


def test_a_zone_may_be_an_offset():
    seen = carry_out("date", ["2025-01-02 10:00"], formats=["iso"], zone="+01:00")
    assert seen.cells == ["2025-01-02T09:00:00+00:00"]


def test_months_of_many_languages_and_nanoseconds_are_read():
    seen = carry_out("date", ["3. März 2024"], formats=["%d. %B %Y"], becomes="date")
    assert seen.cells == ["2024-03-03"]
    seen = carry_out("date", ["1705314131000000000"], formats=["unix_ns"])
    assert seen.cells == ["2024-01-15T10:22:11+00:00"]
