"""Charts as specs and tables."""

import re
from datetime import date, timedelta

import altair as alt
import pytest

from records import charts
from records.stats import Days, Totals
from records.value_stats import Bin, Categories, Category, Distribution, Reason

DAY = date(2026, 1, 15)
LONG = "a very long name of a category that nobody would want to read in full " * 3
CATEGORIES = Categories(
    [
        Category("tea", 3, 1.5),
        Category(LONG, 2, 7.0),
        Category(LONG, 1, 8.0),
        Category("", 1, None),
    ],
    Category(None, 9, 2.0),
)
ALL = [
    charts.over_time(Days({DAY: Totals(processed=3, failed=1)}, Totals(raw=2))),
    charts.by_source({f"source{i}": Totals(processed=i) for i in range(30)}),
    charts.by_category(CATEGORIES),
    charts.mean_by_category(CATEGORIES, 'a "quoted" value'),
    charts.distribution(Distribution([Bin(0.0, 1.0, 3), Bin(1.0, 2.0, 0)], 1, 2), "value"),
    charts.failures([Reason("It failed.", 3)], 5),
]


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.id)
def test_every_spec_is_valid_and_names_its_axes(chart):
    alt.Chart.from_dict(chart.spec).to_dict(validate=True)
    titles = [chart.spec["encoding"][axis].get("title") for axis in ("x", "y")]
    assert any(titles)
    assert len({len(chart.headings), *map(len, chart.rows)}) == 1


def test_charts_without_rows_are_valid_too():
    empty = [
        charts.over_time(Days()),
        charts.by_source({}),
        charts.by_category(Categories([], None)),
        charts.distribution(Distribution([]), "value"),
        charts.failures([], 0),
    ]
    for chart in empty:
        assert not chart.rows
        assert chart.empty
        alt.Chart.from_dict(chart.spec).to_dict(validate=True)


@pytest.mark.parametrize(
    ("length", "unit", "most"),
    [(1, "Day", 1), (100, "Day", 100), (365, "Week", 54), (3650, "Month", 122), (9000, "Year", 26)],
)
def test_time_is_cut_into_as_many_parts_as_can_be_drawn(length, unit, most):
    days = {DAY + timedelta(days=i): Totals(processed=1) for i in range(length)}
    chart = charts.over_time(Days(days))
    assert chart.headings[0] == f"{unit} of"
    assert len(chart.rows) <= most
    assert sum(int(row[1] or 0) for row in chart.rows) == length


def test_the_first_and_the_last_day_of_the_calendar_can_be_drawn():
    chart = charts.over_time(
        Days({date(1, 1, 2): Totals(raw=1), date(9999, 12, 31): Totals(raw=1)})
    )
    assert [row[0] for row in chart.rows] == ["0001-01-01", "9999-01-01"]


def test_absurd_dates_are_counted_rather_than_drawn():
    days = {DAY + timedelta(days=i): Totals(processed=10) for i in range(60)}
    days |= {date(1, 1, 1): Totals(failed=2), date(9999, 12, 31): Totals(raw=1)}
    chart = charts.over_time(Days(days, Totals(raw=4)))
    assert chart.headings[0] == "Day of"
    drawn = {row["date"] for row in data(chart)}
    assert (min(drawn), max(drawn), len(drawn)) == ("2026-01-15", "2026-03-15", 60)
    assert chart.notes == [
        "Not drawn: 2 records before 2026-01-15 (from 0001-01-01 on) "
        "and 1 record after 2026-03-15 (up to 9999-12-31).",
        "4 records without a timestamp can't be placed in time.",
    ]
    assert [chart.rows[0], chart.rows[-1]] == [["Earlier", 0, 2, 0], ["Later", 0, 0, 1]]
    assert sum(int(n or 0) for row in chart.rows for n in row[1:]) == 603


@pytest.mark.parametrize("far", [date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31)])
def test_one_absurd_date_among_a_handful_is_told_apart(far):
    days = {DAY + timedelta(days=i): Totals(raw=1) for i in range(6)} | {far: Totals(raw=1)}
    chart = charts.over_time(Days(days))
    assert len({row["date"] for row in data(chart)}) == 6
    assert chart.notes


@pytest.mark.parametrize(
    "days",
    [
        {DAY: 3, DAY - timedelta(days=90): 1},
        {DAY - timedelta(days=400 * i): 20 - i for i in range(20)},
        {DAY: 50, date(1990, 1, 1): 50},
        {DAY: 80, date(1990, 1, 1): 20},
    ],
    ids=["all fit", "thinning out", "two halves", "more than a few"],
)
def test_records_that_are_no_exception_are_all_drawn(days):
    chart = charts.over_time(Days({day: Totals(raw=number) for day, number in days.items()}))
    assert sum(row["records"] for row in data(chart)) == sum(days.values())
    assert not chart.notes


def test_what_does_not_fit_is_in_one_bar():
    _, by_source, by_category, _, _, failures = ALL
    assert by_source.rows[-1] == ["15 others", 105, 0, 0]
    assert by_category.rows[-1] == ("Other or none", 9)
    assert failures.rows[-1] == ("Other reasons", 2)


def test_labels_are_short_and_all_different():
    labels = [row["label"] for row in data(ALL[2])]
    assert len(set(labels)) == 5
    assert max(len(line) for label in labels for line in label.split("\n")) <= 30


def data(chart):
    (values,) = (
        [chart.spec["data"].get("values")]
        if "values" in chart.spec["data"]
        else list(chart.spec["datasets"].values())
    )
    return values


def test_characters_that_turn_text_round_are_marks_in_labels_and_titles():
    turned = Categories([Category("a\u202eb\nc", 1, 1.0)], None)
    for chart in (
        charts.by_category(turned),
        charts.mean_by_category(turned, "va\u202elue"),
        charts.distribution(Distribution([Bin(0.0, 1.0, 3)]), "va\u202elue"),
        charts.failures([Reason("no\u2066pe", 1)], 1),
    ):
        assert not re.search("[\u202e\u2066]", f"{chart.spec}{chart.title}{chart.headings}")
    assert [row["label"] for row in data(charts.by_category(turned))] == ["a[U+202E]b↵ c"]


def test_no_text_out_of_files_gets_into_an_expression_of_vega():
    chart = charts.by_category(Categories([Category("');alert(1)//", 1, None)], None))
    spec = {key: value for key, value in chart.spec.items() if key not in ("data", "datasets")}
    assert not re.search("alert", str(spec))
