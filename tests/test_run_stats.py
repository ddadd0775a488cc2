"""Figures over runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from records import run_stats
from records.models import IngestionRun, ProcessingRun, Source

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ran(source, *, ago, read=100, seconds=10, rejected=0, **said):
    """A finished run that ended ``ago``."""
    owner, _ = Source.objects.get_or_create(name=source)
    return IngestionRun.objects.create(
        source=owner,
        file_name="rows.csv",
        how="test",
        state=said.pop("state", "finished"),
        started_at=NOW - ago - timedelta(seconds=seconds),
        finished_at=NOW - ago,
        read=read,
        created=read - rejected,
        rejected=rejected,
        **said,
    )


def day_by_day(source, *, until=0, number=5, **said):
    for day in range(until + number - 1, until - 1, -1):
        ran(source, ago=timedelta(days=day, hours=1), **said)


def test_a_source_is_as_usual_while_it_keeps_its_rhythm():
    day_by_day("daily")
    (found,) = run_stats.freshness()
    assert (found.rhythm, found.usual_rows, found.share_of_usual) == (timedelta(days=1), 100, 100)
    assert found.state == ""


def test_a_source_that_misses_its_rhythm_twice_is_late_and_comes_first():
    day_by_day("daily")
    day_by_day("stopped", until=3)
    assert [(item.source, item.state) for item in run_stats.freshness()] == [
        ("stopped", "late"),
        ("daily", ""),
    ]
    assert [item.source for item in run_stats.freshness("daily")] == ["daily"]


def test_files_loaded_one_after_the_other_are_no_rhythm_to_be_late_by():
    for seconds in (1500, 1400, 1300, 1200):
        ran("manual", ago=timedelta(seconds=seconds))
    assert run_stats.freshness()[0].state == ""


@pytest.mark.parametrize(("read", "share"), [(10, 10), (1000, 1000)])
def test_far_fewer_or_far_more_rows_than_usual_are_told(read, share):
    day_by_day("daily", until=1)
    ran("daily", ago=timedelta(0), read=read)
    (found,) = run_stats.freshness()
    assert (found.share_of_usual, found.state) == (share, "unusual volume")


def test_an_input_of_which_most_was_rejected_is_told():
    ran("bad", ago=timedelta(0), read=10, rejected=6)
    (found,) = run_stats.freshness()
    assert (found.rhythm, found.state) == (None, "mostly rejected")


def test_runs_that_failed_read_nothing_or_replayed_rows_make_no_rhythm():
    day_by_day("daily")
    parent = IngestionRun.objects.latest("pk")
    ran("daily", ago=timedelta(0), state="failed")
    ran("daily", ago=timedelta(0), read=0)
    ran("daily", ago=timedelta(0), parent=parent)
    (found,) = run_stats.freshness()
    assert found.last == NOW - timedelta(hours=1)
    assert found.rhythm == timedelta(days=1)


def test_speed_is_that_of_finished_runs():
    for number in range(1, 21):
        ran("s", ago=timedelta(0), read=1000, seconds=number)
    ProcessingRun.objects.create(
        how="test",
        state="finished",
        started_at=NOW - timedelta(seconds=4),
        finished_at=NOW,
        processed=6000,
        failed=1000,
        unchanged=1000,
    )
    read, processed = run_stats.speed()
    assert (read.kind, read.runs, read.items) == ("Rows read", 20, 20_000)
    assert (read.seconds, read.thousand) == (10.5, 10.5)
    assert read.seconds_p95 == pytest.approx(19.05)
    assert read.per_second == pytest.approx(20_000 / 210)
    assert (processed.items, processed.per_second, processed.thousand) == (8000, 2000, 0.5)
    # That run was over all sources.
    assert [item.kind for item in run_stats.speed("s")] == ["Rows read"]


def test_figures_over_runs_take_one_query_for_each_kind(django_assert_num_queries):
    for name in ("one", "two", "three"):
        day_by_day(name)
    with django_assert_num_queries(1):
        assert len(run_stats.freshness()) == 3
    with django_assert_num_queries(2):
        run_stats.speed()
