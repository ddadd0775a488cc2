"""Values over time: ranks within steps, and anomalies beside them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from explore import charts
from explore.metrics import record_counts, result_values, timeseries
from explore.metrics.intervals import in_steps
from explore.metrics.record_counts import Days, Span, Totals
from explore.metrics.scope import Scope
from explore.metrics.timeseries import Interval, time_series
from records.models import DataRecord, ProcessingResult
from tests.landed import NOON, land, process_all, sale

pytestmark = pytest.mark.django_db


def looked_at(*, by_hour=False, repaired=False):
    return time_series(
        result_values.current_results(), record_counts.by_day(), by_hour=by_hour, repaired=repaired
    )


def land_values(values, at):
    rows = {f"{at:%Y%m%d%H}-{i}": sale(i, value=str(value)) for i, value in enumerate(values)}
    land("shop", rows, timestamp=at)


def flag(*values):
    ProcessingResult.objects.filter(value__in=values).update(anomaly="Far off.")


@pytest.mark.parametrize(
    ("values", "lower", "median", "upper"),
    [
        ([5], 5, 5, 5),
        ([1, 2], 1, 1.5, 2),
        ([3, 1, 2], 1, 2, 3),
        ([4, 1, 3, 2], 1, 2.5, 3),
        (range(1, 102), 26, 51, 76),
        ([7] * 10, 7, 7, 7),
    ],
)
def test_a_step_is_told_by_its_median_and_the_half_around_it(values, lower, median, upper):
    land_values(values, NOON)
    process_all()
    (step,) = looked_at().steps
    assert (step.number, step.lower, step.median, step.upper) == (
        len(values), lower, median, upper,
    )  # fmt: skip
    assert (step.least, step.greatest) == (min(values), max(values))


def test_anomalies_and_repaired_values_are_not_among_the_others():
    land_values([1, 2, 3, 900, -900, "bad"], NOON)
    land_values([800], NOON + timedelta(days=1))
    process_all()
    flag(900, -900, 800)
    first, second = looked_at().steps
    day = datetime(2026, 3, 1, tzinfo=UTC)
    assert first == Interval(day, 3, 1, 1, 2, 3, 3, anomalies=2, low=-900, high=900)
    assert second == Interval(day + timedelta(days=1), anomalies=1, low=800, high=800)
    assert looked_at(repaired=True).steps[0].number == 4


@pytest.mark.parametrize(
    ("days", "unit"),
    [(0, "day"), (99, "day"), (100, "week"), (749, "week"), (750, "month"), (30_000, "year")],
)
def test_steps_are_as_long_as_the_days_ask_for(days, unit):
    later = NOON + timedelta(days=days)
    for at in (NOON, later):
        land_values([1, 2], at)
    process_all()
    found = looked_at()
    assert found.unit == unit
    # A Sunday, on which most weeks end.
    first = {"year": date(2026, 1, 1), "week": date(2026, 2, 23)}
    assert found.steps[0].start.date() == first.get(unit, date(2026, 3, 1))
    assert sum(step.number for step in found.steps) == len(
        set(DataRecord.objects.values_list("id", flat=True))
    )


@pytest.mark.parametrize("day", ["monday", "sunday"])
def test_weeks_begin_as_those_of_the_records_over_time(day, settings):
    settings.WEEK_STARTS_ON = day
    first_day = datetime(1, 1, 2, tzinfo=UTC)
    for days in (*range(15), *range(20, 200, 11)):
        land_values([1], first_day + timedelta(days=days, hours=23))
    process_all()
    unit, weeks = in_steps(record_counts.by_day())
    assert unit == "week"
    assert [step.start.date() for step in looked_at().steps] == list(weeks)
    assert {start.strftime("%A").lower() for start in list(weeks)[1:]} == {day}


def test_hours_are_those_of_utc():
    land_values([1], NOON.replace(hour=23, minute=59, second=59, microsecond=999_999))
    land_values([2], NOON.replace(hour=0))
    process_all()
    assert [step.start.hour for step in looked_at(by_hour=True).steps] == [0, 23]


def test_only_the_newest_days_of_many_records_are_looked_at(monkeypatch):
    monkeypatch.setattr(timeseries, "MOST", 4)
    for days in range(4):
        land_values([1, 2], NOON - timedelta(days=days))
    process_all()
    found = looked_at()
    assert found.span == Span(date(2026, 2, 28), date(2026, 3, 1))
    assert (found.earlier, found.later, len(found.steps)) == (4, 0, 2)
    chart = charts.values_over_time(found, "value", Scope(), repaired=False)
    assert chart.notes[-1] == "Not included: 4 records before 2026-02-28."


def test_nothing_is_asked_without_a_timestamp(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not time_series(
            result_values.current_results(),
            Days({}, Totals(processed=3)),
            by_hour=False,
            repaired=False,
        ).steps


def test_anomalies_far_off_are_marked_at_the_edge_and_say_what_they_are():
    land_values([1, 2, 3, 4, 1_000_000], NOON)
    process_all()
    flag(1_000_000)
    chart = charts.values_over_time(looked_at(), "value", Scope(), repaired=False)
    (mark,) = chart.spec["data"]["values"]
    assert mark["at"] == 5  # twice as far as the half of the values reaches
    assert mark["from"] == "1,000,000"
    assert "Anomalies outside the chart are shown at its edge." in chart.notes
    assert chart.numbers == [["2026-03-01", 4, 1, 2.5, 3, 1]]
    links = [cell.url for cell in chart.rows[0] if isinstance(cell, charts.Linked)]
    assert links == [mark["url"], mark["far"]]
