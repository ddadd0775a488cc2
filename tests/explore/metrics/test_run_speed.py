"""Figures over runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from explore.metrics.freshness import freshness
from explore.metrics.run_speed import speed
from records.models import Feed, IngestionRun, ProcessingRun, Source

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ran(source, *, ago, read=100, seconds=10, rejected=0, **said):
    """A finished run that ended ``ago``."""
    owner, _ = Source.objects.get_or_create(name=source)
    return IngestionRun.objects.create(
        source=owner,
        file_name="rows.csv",
        trigger="test",
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
    (found,) = freshness()
    assert (found.rhythm, found.usual_rows, found.share_of_usual) == (timedelta(days=1), 100, 100)
    assert found.state == ""


def test_a_source_that_misses_its_rhythm_twice_is_late_and_comes_first():
    day_by_day("daily")
    day_by_day("stopped", until=3)
    assert [(item.source, item.state) for item in freshness()] == [
        ("stopped", "late"),
        ("daily", ""),
    ]
    assert [item.source for item in freshness("daily")] == ["daily"]


def test_files_loaded_one_after_the_other_are_no_rhythm_to_be_late_by():
    for seconds in (1500, 1400, 1300, 1200):
        ran("manual", ago=timedelta(seconds=seconds))
    assert freshness()[0].state == ""


@pytest.mark.parametrize(("read", "share"), [(10, 10), (1000, 1000)])
def test_far_fewer_or_far_more_rows_than_usual_are_told(read, share):
    day_by_day("daily", until=1)
    ran("daily", ago=timedelta(0), read=read)
    (found,) = freshness()
    assert (found.share_of_usual, found.state) == (share, "unusual volume")


def test_an_input_of_which_most_was_rejected_is_told():
    ran("bad", ago=timedelta(0), read=10, rejected=6)
    (found,) = freshness()
    assert (found.rhythm, found.state) == (None, "mostly rejected")


def test_runs_that_failed_read_nothing_or_replayed_rows_make_no_rhythm():
    day_by_day("daily")
    parent = IngestionRun.objects.latest("pk")
    ran("daily", ago=timedelta(0), state="failed")
    ran("daily", ago=timedelta(0), read=0)
    ran("daily", ago=timedelta(0), parent=parent)
    (found,) = freshness()
    assert found.last == NOW - timedelta(hours=1)
    assert found.rhythm == timedelta(days=1)


def failed(source, *, ago, error="It broke.", **said):
    return ran(source, ago=ago, state="failed", read=0, error=error, **said)


def test_a_source_whose_last_loads_failed_is_told_with_how_many_since_when_and_why():
    day_by_day("daily")
    day_by_day("fine")
    for hours in (4, 3, 2):
        last = failed("daily", ago=timedelta(minutes=hours), error=f"Try {hours}.")
    found = freshness()
    assert [(item.source, item.state) for item in found] == [
        ("daily", "failed 3 times"),
        ("fine", ""),
    ]
    failing = found[0].failing
    assert failing is not None
    assert (failing.times, failing.run, failing.error) == (3, last.pk, "Try 2.")
    assert failing.since == NOW - timedelta(minutes=4)
    assert found[0].last == NOW - timedelta(hours=1), "when there was data is told all the same"


def test_a_load_that_finished_ends_the_failures_though_it_found_nothing_new():
    day_by_day("daily", until=1)
    failed("daily", ago=timedelta(hours=2))
    ran("daily", ago=timedelta(hours=1), read=0)
    assert freshness()[0].failing is None
    failed("daily", ago=timedelta(minutes=1))
    parent = IngestionRun.objects.latest("pk")
    ran("daily", ago=timedelta(0), parent=parent, read=3)
    (found,) = freshness()
    assert found.state == "failed", "a replay of rejected rows is no load"
    IngestionRun.objects.filter(state="failed").update(state="undone")
    assert freshness()[0].failing is None


def test_a_source_that_only_ever_failed_and_one_that_was_never_loaded_are_told():
    failed("broken", ago=timedelta(hours=2))
    Feed.objects.create(source=Source.objects.create(name="new"), kind="http", config={})
    Source.objects.create(name="no feed")
    found = freshness()
    assert [(item.source, item.state, item.last) for item in found] == [
        ("broken", "failed", None),
        ("new", "never imported", None),
    ]
    assert [item.source for item in freshness("new")] == ["new"]


def test_a_feed_that_is_due_and_that_no_worker_has_started_is_told():
    day_by_day("daily")
    feed = Feed.objects.create(
        source=Source.objects.get(name="daily"), kind="http", config={}, schedule="0 6 * * *",
        next_at=NOW - timedelta(minutes=10),
    )  # fmt: skip
    assert freshness()[0].state == "overdue"
    Feed.objects.filter(pk=feed.pk).update(enabled=False)
    assert freshness()[0].state == ""
    Feed.objects.filter(pk=feed.pk).update(enabled=True, next_at=NOW + timedelta(days=1))
    assert freshness()[0].state == ""


def test_speed_is_that_of_finished_runs():
    for number in range(1, 21):
        ran("s", ago=timedelta(0), read=1000, seconds=number)
    ProcessingRun.objects.create(
        trigger="test",
        state="finished",
        started_at=NOW - timedelta(seconds=4),
        finished_at=NOW,
        processed=6000,
        failed=1000,
        unchanged=1000,
    )
    read, processed = speed()
    assert (read.kind, read.runs, read.items) == ("Rows read", 20, 20_000)
    assert (read.seconds, read.thousand) == (10.5, 10.5)
    assert read.seconds_p95 == pytest.approx(19.05)
    assert read.per_second == pytest.approx(20_000 / 210)
    assert (processed.items, processed.per_second, processed.thousand) == (8000, 2000, 0.5)
    # That run was over all sources.
    assert [item.kind for item in speed("s")] == ["Rows read"]


def test_figures_over_runs_take_as_many_queries_for_many_sources(
    django_assert_num_queries,
):
    for name in ("one", "two", "three"):
        day_by_day(name)
    with django_assert_num_queries(4):
        assert len(freshness()) == 3
    with django_assert_num_queries(2):
        assert len(freshness()) == 3, "nothing has changed"
    with django_assert_num_queries(2):
        speed()
