"""Requests are counted in each process, and added up over all of them."""

import time

import pytest
from django.db import OperationalError

from web.throttling.counts import MOST_BUCKETS, Counts

pytestmark = pytest.mark.django_db

MODULE = "web.throttling.counts"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [time.time()]
    monkeypatch.setattr(f"{MODULE}.time.time", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def _added_by_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens in other threads."""
    monkeypatch.setattr(f"{MODULE}.threading.Thread.start", lambda thread: None)


def send(counts: Counts, number: int, *, rate: int = 20, client: str = "a") -> int:
    """How many of so many requests are within the limit."""
    return sum(counts.seconds_over(client, rate=rate) == 0 for _ in range(number))


def test_after_a_pause_5_seconds_worth_pass_at_once_and_then_the_rate(clock):
    counts = Counts()
    assert send(counts, 150) == 100
    clock[0] += 1
    assert send(counts, 150) == 20
    clock[0] += 60
    assert send(counts, 150) == 100


def test_a_refused_client_may_try_again_when_it_is_told(clock):
    counts = Counts()
    send(counts, 100, rate=20)
    assert counts.seconds_over("a", rate=20) == 1
    clock[0] += 1
    assert counts.seconds_over("a", rate=20) == 0


def test_requests_that_are_refused_do_not_count(clock):
    counts = Counts()
    send(counts, 10_000)
    clock[0] += 1
    assert send(counts, 50) == 20


def test_clients_have_limits_of_their_own(clock):
    counts = Counts()
    send(counts, 150)
    assert send(counts, 100, client="b") == 100


def test_a_rate_of_0_is_no_limit(clock):
    assert send(Counts(), 1000, rate=0) == 1000


def test_a_clock_that_is_set_back_locks_nobody_out(clock):
    counts = Counts()
    send(counts, 150)
    clock[0] -= 3600
    assert send(counts, 1) == 0
    clock[0] += 1
    assert send(counts, 50) == 20


def test_processes_share_the_limit_of_a_client(clock):
    one, other = Counts(), Counts()
    assert send(one, 60) == 60
    one.add()
    assert send(other, 10) == 10
    other.add()
    assert send(other, 100) == 30
    other.add()
    assert send(one, 10) == 10  # of which the other has not heard
    one.add()
    assert send(one, 100) == 0
    clock[0] += 1
    assert send(one, 100) == 10


def test_a_process_that_has_not_heard_of_the_others_stays_within_the_limit_itself(clock):
    one, other = Counts(), Counts()
    assert send(one, 200) == send(other, 200) == 100


def test_a_slow_client_of_several_processes_is_within_its_limit(clock):
    counts = Counts(), Counts()
    for _ in range(300):
        assert [send(each, 1) for each in counts] == [1, 1]
        for each in counts:
            each.add()
        clock[0] += 0.11


def test_clients_that_send_little_are_not_written_down(clock, django_assert_num_queries):
    counts = Counts()
    send(counts, 9)
    with django_assert_num_queries(0):
        counts.add()


def test_a_database_that_does_not_take_the_counts_leaves_each_process_its_own(
    clock, monkeypatch, caplog
):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(f"{MODULE}.time.sleep", lambda seconds: None)
    monkeypatch.setattr(f"{MODULE}.connections.close_all", lambda: None)
    monkeypatch.setattr(f"{MODULE}.cache.get", refuse)
    counts = Counts()
    send(counts, 50)
    counts._add_later()
    assert "database is locked" in caplog.text
    assert send(counts, 100) == 50


def test_clients_that_went_away_take_no_memory(clock):
    counts = Counts()
    for number in range(3 * MOST_BUCKETS):
        clock[0] += 0.01
        send(counts, 1, client=str(number))
    assert len(counts._buckets) <= MOST_BUCKETS


def test_counting_takes_well_below_a_millisecond():
    counts, began = Counts(), time.perf_counter()
    send(counts, 10_000, rate=100_000_000)
    assert (time.perf_counter() - began) / 10_000 < 0.000_2
