"""The columns of time are found by what they hold; names only decide between them."""

import pytest

from ingestion.parsing.date_mapping import unused_dates
from ingestion.parsing.mapping import plain_name
from ingestion.parsing.time_columns import propose_timestamp, propose_zone

DAYS = [f"2024-01-{day:02}" for day in range(1, 21)]
TIMES = [f"2024-01-{day:02} 10:{day:02}" for day in range(1, 21)]
HOURS = [f"{day:02}:15" for day in range(1, 21)]
DIGITS = [f"202401{day:02}" for day in range(1, 21)]
YEARS = [str(2000 + day) for day in range(20)]
AMOUNTS = [f"{day * 7}.50" for day in range(20)]
WORDS = ["red", "green"] * 10


def proposed(**columns):
    names = {column: plain_name(column) for column in columns}
    return propose_timestamp(list(columns), names, columns)


@pytest.mark.parametrize(
    "name",
    ["event_time", "Created (UTC)", "Buchungstag", "start", "_submission_time", "fecha", "x"],
)  # fmt: skip
def test_a_column_of_dates_is_found_whatever_its_name_is(name):
    assert proposed(**{"a": AMOUNTS, name: DAYS, "b": WORDS}) == [name]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order_date", "ship_date"),
        ("created_at", "updated_at"),
        ("Buchungstag", "Valutadatum"),
        ("when", "due"),
        ("timestamp", "date"),
    ],
)
def test_the_name_decides_between_columns_of_dates(one, other):
    assert proposed(**{other: DAYS, one: DAYS}) == [one]


def test_dates_come_before_digits_that_may_be_dates():
    assert proposed(timestamp=DIGITS, x=DAYS) == ["x"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"MESS_DATUM": DIGITS}, ["MESS_DATUM"]),
        ({"x": DIGITS}, ["x"]),
        ({"x": [*DIGITS[:-1], "20241399"]}, []),
        ({"amount": [f"{20000 + n}" for n in range(20)]}, []),
        ({"order": [f"{1000000 + n}" for n in range(20)]}, []),
        ({"phone": [f"20255501{n:02}" for n in range(20)]}, []),
        ({"n": YEARS}, []),
        ({"Year": YEARS}, ["Year"]),
        ({"Year": YEARS, "day": DAYS}, ["day"]),
        ({"price": AMOUNTS, "colour": WORDS}, []),
        ({"ts": [f"17053141{n:02}" for n in range(20)]}, ["ts"]),
    ],
)
def test_plain_numbers_are_no_dates_by_accident(columns, expected):
    assert proposed(**columns) == expected


@pytest.mark.parametrize("name", ["Time", "Uhrzeit", "hora", "Start"])
def test_the_time_of_day_in_a_column_of_its_own_belongs_to_the_day(name):
    assert proposed(**{name: HOURS, "Day": DAYS}) == ["Day", name]


def test_a_duration_is_no_time_of_day():
    assert proposed(date=DAYS, duration=HOURS) == ["date"]


def test_a_column_with_time_has_no_other_one():
    assert proposed(date=TIMES, time=HOURS) == ["date"]


def zone(**columns):
    return propose_zone(list(columns), {name: plain_name(name) for name in columns}, columns)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"a": WORDS, "TimeZone": ["PST", "PDT"] * 10}, "TimeZone"),
        ({"x": ["Europe/Vienna", ""] * 10}, "x"),
        ({"x": ["+01:00", "-05:30"] * 10}, "x"),
        ({"utc offset": ["+1", "-5"] * 10}, "utc offset"),
        ({"change": ["+1", "-5"] * 10}, None),
        ({"x": ["PST", "red"] * 10}, None),
    ],
)
def test_a_column_that_holds_only_zones_is_found(columns, expected):
    assert zone(**columns) == expected


def test_dates_that_play_no_role_are_told():
    assert "'x' holds dates" in (unused_dates(["a", "x"], {"a": WORDS, "x": DAYS}) or "")
    assert unused_dates(["a"], {"a": WORDS}) is None
