"""Rule sets proposed from what the columns of a source hold."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processing.engine import pipeline
from processing.engine.proposals import look_at, propose, seen
from processing.rules.check import check_rules

MAPPING = {"id": ["id"], "timestamp": ["day"], "value": ["amount"], "category": ["kind"],
           "timestamp_format": "%d.%m.%Y"}  # fmt: skip

DATE = {"rule": "date", "on_failure": "empty", "becomes": "date"}


def rows_of(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


ROWS = rows_of(
    id=[str(n) for n in range(12)],
    day=["01.02.2025"] * 12,
    amount=["1.234,50", "7,5", "0,5"] * 4,
    kind=["Tools", "toys ", "Tools"] * 4,
    paid=["yes", "no", "yes"] * 4,
    weight=["1.5", "2", "3"] * 4,
    seen=["2025-01-02"] * 12,
    note=[f"Some words {n}" for n in range(12)],
    serial=[str(1000 + n) for n in range(12)],
    nothing=[""] * 12,
    discount=["0", "0,2", "0"] * 4,
    sent=["03.02.2025", "13.02.2025", ""] * 4,
    zip=["10115", "20095", "1067"] * 4,
    area=["030", "040", "0351"] * 4,
    currency=["EUR"] * 12,
    page=["  Home", "Basket", "Till  2"] * 4,
    thousands=["1,234", "5,678", "12"] * 4,
)


def test_each_column_gets_what_fits_it():
    rules = propose(look_at(ROWS), MAPPING)
    assert check_rules(rules) == rules
    on = [step for step in rules if not step.get("off")]
    assert on == [
        {"rule": "required", "columns": ["id", "amount"]},
        {"rule": "number", "column": "amount", "default": 0.0, "decimal": ",", "thousands": "."},
        {"rule": "text", "column": "kind", "strip": True, "lower": True},
        {**DATE, "column": "day", "formats": ["%d.%m.%Y"]},
        {"rule": "number", "column": "weight", "on_failure": "empty"},
        {**DATE, "column": "seen", "formats": ["iso"]},
        {"rule": "number", "column": "discount", "on_failure": "empty", "decimal": ","},
        {**DATE, "column": "sent", "formats": ["%d.%m.%Y"]},
        {"rule": "text", "column": "page", "strip": True, "collapse": True},
        {"rule": "anomaly", "column": "amount", "by": "kind"},
        {"rule": "stamp", "column": "processed_timestamp"},
    ]


def test_dates_with_a_time_of_day_keep_it():
    for cells in (["2025-01-02 10:00", "2025-01-02T11"], ["2025-01-02", "2025-01-02T10:00:00Z"]):
        (step, _) = propose(look_at(rows_of(seen=cells)), {})
        assert (step["rule"], step["column"], "becomes" in step) == ("date", "seen", False)


def test_what_could_fail_records_is_off_and_says_why():
    off = [step for step in propose(look_at(ROWS), MAPPING) if step.get("off")]
    assert [(step["rule"], step.get("column") or step["columns"]) for step in off] == [
        ("allowed", "kind"),
        ("allowed", "paid"),
        ("range", "weight"),
        ("unique", ["serial"]),
        ("allowed", "page"),
        ("allowed", "thousands"),
    ]
    assert all(step["note"].endswith("so far.") for step in off)


def test_the_profile_of_a_dry_run_is_understood():
    profile = {"name": "n", "filled": 9, "empty": 1, "distinct": 2, "exact": True, "numbers": 1.0,
               "least": "0", "greatest": "5", "top": [["0", 5], ["5", 4]],
               "looks_like": "number", "share": 100.0}  # fmt: skip
    column = seen(profile)
    assert (column.least, column.all_values, column.values) == (0.0, True, ["0", "5"])
    rules = [step["rule"] for step in propose([column], {})]
    assert rules == ["number", "range", "stamp"]


def test_of_a_column_that_is_not_known_whole_spaces_are_cleaned():
    profile = {"name": "n", "filled": 9, "empty": 1, "distinct": 2, "exact": True, "numbers": 0.0,
               "least": "", "greatest": "", "top": [["a", 5], ["b", 4]],
               "looks_like": "category", "share": 100.0}  # fmt: skip
    for more, rules in (
        ({}, ["allowed", "stamp"]),
        ({"top": [["a ", 5], ["b", 4]]}, ["text", "allowed", "stamp"]),
        ({"distinct": 7}, ["text", "stamp"]),
    ):
        assert [step["rule"] for step in propose([seen(profile | more)], {})] == rules


def test_columns_that_make_a_timestamp_together_stay_as_they_are():
    rows = rows_of(day=["2.1.2025"] * 3, time=[" 10:00"] * 3)
    mapping = {"timestamp": ["day", "time"], "timestamp_format": "%d.%m.%Y %H:%M"}
    assert [step["rule"] for step in propose(look_at(rows), mapping)] == ["stamp"]


def test_nothing_known_gives_the_default_rules():
    assert propose([], {}) == [{"rule": "stamp", "column": "processed_timestamp"}]
    assert [step["rule"] for step in propose([], MAPPING)] == [
        "required", "number", "text", "anomaly", "stamp"
    ]  # fmt: skip


cell = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["1,5", "2025-01-01", "x"]), st.lists(st.integers(), max_size=1),
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(["id", "amount", "kind", "x"]), cell), max_size=9))
def test_what_is_proposed_can_be_carried_out_and_checks_pass(rows):
    rules = propose(look_at(rows), MAPPING)
    check_rules(rules)
    pipeline.apply(rows, rules, 0.0)


def test_times_are_converted_in_the_zone_of_the_source():
    rows = rows_of(when=["2025-01-02 10:00", "2025-01-03 11:00"] * 4)
    mapping = {"timestamp": ["when"], "timestamp_format": "iso", "timestamp_zone": "Europe/Vienna"}
    (step, _) = propose(look_at(rows), mapping)
    assert step["zone"] == "Europe/Vienna"
    # Only the import knows the zone of each row.
    of_rows = mapping | {"timestamp_zone_column": "tz"}
    assert [one["rule"] for one in propose(look_at(rows), of_rows)] == ["stamp"]
