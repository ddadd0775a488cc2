"""Charts as specs and tables."""

import re
from datetime import UTC, date, datetime, timedelta

import altair as alt
import pytest

from explore import charts
from explore.charts.files import file_of
from explore.metrics.histogram import Bin, Distribution
from explore.metrics.record_counts import Days, Span, Totals
from explore.metrics.result_values import Categories, Category, Reason, Repairs
from explore.metrics.scope import Scope
from explore.metrics.timeseries import Interval, TimeSeries

DAY = date(2026, 1, 15)
LONG = "a very long name of a category that nobody would want to read in full " * 3
CATEGORIES = Categories(
    [
        Category("tea", 3, 3, 1.5, 1.0, 2.0),
        Category(LONG, 2, 2, 7.0, 7.0, 7.0),
        Category(LONG + ".", 1, 1, 8.0, 8.0, 8.0),
        Category("none", 1),
    ],
    9,
)
EVERYTHING = Scope()
MIDNIGHT = datetime(2026, 1, 15, tzinfo=UTC)
PARTS = [Bin(0.0, 1.0, 3, 0.25, 0.75), Bin(1.0, 2.0, 0)]
ALL = [
    charts.over_time(Days({DAY: Totals(processed=3, failed=1)}, Totals(raw=2)), EVERYTHING),
    charts.by_source({f"source{i}": Totals(processed=i) for i in range(30)}, EVERYTHING),
    charts.by_category(CATEGORIES, EVERYTHING),
    charts.mean_by_category(CATEGORIES, 'a "quoted" value', EVERYTHING, repaired=False),
    charts.distribution(
        Distribution(PARTS, Bin(-1.0, 0.0, 1, -9.0, -9.0), None),
        "value",
        EVERYTHING,
        repaired=False,
    ),
    charts.failures([Reason("It failed.", 3), Reason("Bad.", 1)], 5, EVERYTHING),
    charts.rejections([("too_few_cells", 3, "/rejected/?code=too_few_cells")]),
    charts.repairs([Repairs("number", 2)], EVERYTHING),
    charts.over_hours(
        {datetime(2026, 1, 15, 7, tzinfo=UTC): Totals(raw=2)}, Scope(span=Span(DAY, DAY))
    ),
    charts.values_over_time(
        TimeSeries(
            "day", Span(DAY, DAY), [Interval(MIDNIGHT, 2, 1.0, 1.0, 1.5, 2.0, 2.0, 1, 9.0, 9.0)]
        ),
        'a "quoted" value',
        EVERYTHING,
        repaired=False,
    ),
]


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.id)
def test_every_spec_is_valid_and_names_its_axes(chart):
    alt.Chart.from_dict(chart.spec).to_dict(validate=True)
    layers = [layer["encoding"] for layer in chart.spec.get("layer", [chart.spec])]
    titles = [axis.get("title") for layer in layers for axis in (layer["x"], layer["y"])]
    assert any("href" in layer for layer in layers)
    assert any(titles)
    assert len({len(chart.headings), *map(len, chart.rows)}) == 1


def test_charts_without_rows_are_valid_too():
    empty = [
        charts.over_time(Days(), EVERYTHING),
        charts.by_source({}, EVERYTHING),
        charts.by_category(Categories([]), EVERYTHING),
        charts.distribution(Distribution([]), "value", EVERYTHING, repaired=False),
        charts.failures([], 0, EVERYTHING),
        charts.rejections([]),
        charts.repairs([], EVERYTHING),
        charts.values_over_time(TimeSeries(), "value", EVERYTHING, repaired=False),
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
    chart = charts.over_time(Days(days), EVERYTHING)
    assert chart.headings[0] == f"{unit} (UTC)"
    assert len(chart.rows) <= most
    assert sum(int(row[1] or 0) for row in chart.numbers) == length


def test_the_first_and_the_last_day_of_the_calendar_can_be_drawn():
    chart = charts.over_time(
        Days({date(1, 1, 2): Totals(raw=1), date(9999, 12, 31): Totals(raw=1)}), EVERYTHING
    )
    assert [row[0] for row in chart.rows] == ["0001-01-01", "9999-01-01"]


def test_absurd_dates_are_counted_rather_than_drawn():
    days = {DAY + timedelta(days=i): Totals(processed=10) for i in range(60)}
    days |= {date(1, 1, 1): Totals(failed=2), date(9999, 12, 31): Totals(raw=1)}
    chart = charts.over_time(Days(days, Totals(raw=4)), EVERYTHING)
    assert chart.headings[0] == "Day (UTC)"
    drawn = {row["date"] for row in data(chart)}
    assert (min(drawn), max(drawn), len(drawn)) == ("2026-01-15", "2026-03-15", 60)
    assert chart.notes == [
        "Not shown: 2 records before 2026-01-15 (earliest: 0001-01-01) "
        "and 1 record after 2026-03-15 (latest: 9999-12-31).",
        "Not shown: 4 records without a timestamp.",
    ]
    assert [chart.numbers[0], chart.numbers[-1]] == [["Earlier", 0, 2, 0], ["Later", 0, 0, 1]]
    assert sum(int(n or 0) for row in chart.numbers for n in row[1:]) == 603


@pytest.mark.parametrize("far", [date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31)])
def test_one_absurd_date_among_a_handful_is_told_apart(far):
    days = {DAY + timedelta(days=i): Totals(raw=1) for i in range(6)} | {far: Totals(raw=1)}
    chart = charts.over_time(Days(days), EVERYTHING)
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
    totals = {day: Totals(raw=number) for day, number in days.items()}
    chart = charts.over_time(Days(totals), EVERYTHING)
    assert sum(row["records"] for row in data(chart)) == sum(days.values())
    assert not chart.notes


def test_what_no_list_can_be_asked_for_is_told_in_words():
    _, by_source, by_category, _, _, failures, *_ = ALL
    assert by_source.notes == ["Not shown: 105 records in 15 smaller sources."]
    assert by_category.notes == ["Not shown: 9 records in other categories or without a category."]
    assert failures.notes == ["Not shown: 1 record with other reasons."]


def test_reasons_tell_how_much_of_all_they_make_up():
    assert ALL[5].numbers == [["It failed.", 3, "60%"], ["Bad.", 1, "80%"]]


def test_a_mark_leads_to_where_its_cell_does():
    for chart in ALL:
        # What is not drawn, as it lies far outside, is in the table alone.
        drawn = [row for row in chart.rows if row[0] is not None]
        cells = {cell.url for row in drawn for cell in row if isinstance(cell, charts.Linked)}
        assert cells
        assert cells <= {row.get(to) for row in data(chart) for to in ("url", "far")}


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.id)
def test_marks_are_named_in_words(chart):
    svg = file_of(chart, "svg").decode()
    role = 'role="graphics-symbol"[^>]*aria-roledescription="(?:bar|point|rect[^"]*)"'
    names = re.findall(f'aria-label="([^"]*)" {role}', svg)
    assert any(": " in name for name in names)
    assert not re.search("url|/explore|undefined|NaN", " ".join(names))


def test_a_chart_as_a_file_has_no_links_and_nothing_a_spreadsheet_would_carry_out():
    chart = charts.by_category(Categories([Category("=1+1", 3)]), Scope())
    assert file_of(chart, "csv").decode().splitlines() == ["Category,Processed records", "'=1+1,3"]
    for drawn in (chart, ALL[0], ALL[5]):
        svg = file_of(drawn, "svg").decode()
        assert svg.startswith("<svg")
        assert "explore" not in svg
    assert file_of(chart, "png").startswith(b"\x89PNG")


def test_labels_are_short_and_all_different():
    labels = [row["label"] for row in data(ALL[2])]
    assert len(set(labels)) == 4
    assert max(len(line) for label in labels for line in label.split("\n")) <= 30


def data(chart):
    (values,) = (
        [chart.spec["data"].get("values")]
        if "values" in chart.spec["data"]
        else list(chart.spec["datasets"].values())
    )
    return values


def test_a_value_that_nearly_all_have_is_told_instead_of_drawn():
    zeros = Bin(0.0, 0.0, 950, 0.0, 0.0)
    chart = charts.distribution(
        Distribution(PARTS, frequent=zeros), "value", EVERYTHING, repaired=False
    )
    assert chart.notes == ["Not shown: 950 records with exactly 0, which would dwarf all others."]
    assert chart.numbers[0] == ["exactly 0", None, 950]
    assert "value_from=0.0&value_to=0.0" in str(chart.rows[0])
    assert [row["records"] for row in data(chart)] == [3, 0]


def test_characters_that_turn_text_round_are_marks_in_labels_and_titles():
    turned = Categories([Category("a\u202eb\nc", 1, 1, 1.0, 1.0, 1.0)])
    for chart in (
        charts.by_category(turned, EVERYTHING),
        charts.mean_by_category(turned, "va\u202elue", EVERYTHING, repaired=False),
        charts.distribution(
            Distribution([Bin(0.0, 1.0, 3)]), "va\u202elue", EVERYTHING, repaired=False
        ),
        charts.failures([Reason("no\u2066pe", 1)], 1, EVERYTHING),
    ):
        assert not re.search("[\u202e\u2066]", f"{chart.spec}{chart.title}{chart.headings}")
    assert [row["label"] for row in data(charts.by_category(turned, EVERYTHING))] == [
        "a[U+202E]b↵ c"
    ]


def test_no_text_out_of_files_gets_into_an_expression_of_vega():
    chart = charts.by_category(Categories([Category("');alert(1)//", 1)]), EVERYTHING)
    spec = {key: value for key, value in chart.spec.items() if key not in ("data", "datasets")}
    assert not re.search("alert", str(spec))
