"""Requests that wait at the same time land together, and each gets its own answer."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection

from ingestion.errors import KeyReused
from ingestion.events import landing
from ingestion.events import queue as service
from ingestion.events.landing import Answer
from ingestion.events.queue import Queue
from ingestion.events.rows import Sent
from ingestion.parsing.cloud_events import EventRow
from records.database import bulk
from records.models import DataRecord, IngestionRun, Source
from records.visible_sources import limited_to
from tests.ingestion.events.conftest import URL, client_of

pytestmark = pytest.mark.django_db
KEYED = {"id": ["key"], "timestamp": [], "value": [], "category": []}


def sent(user: User, *events: dict[str, Any], key: str = "", source: str = "shop") -> Sent:
    return Sent(source, user, [EventRow(json.dumps(event)) for event in events], key)


def answers_to(*requests: Sent) -> list[Answer]:
    """The answers to requests that land together, none of which is refused."""
    return [each for each in landing.land_together(requests) if isinstance(each, Answer)]


def test_requests_land_in_one_transaction_with_their_own_answers(sender):
    Source.objects.create(name="shop", mapping=KEYED)
    first, second, third = answers_to(
        sent(sender, {"key": "a"}, {"n": 1}),
        sent(sender, {"key": "b"}, key="k-1"),
        sent(sender, {"key": "a", "n": 2}, {"key": "c"}),
    )
    found = [[each["outcome"] for each in answer.outcomes] for answer in (first, second, third)]
    # What shares a key is followed in its order.
    assert found == [["created", "rejected"], ["created"], ["updated", "created"]]
    assert [each["line"] for answer in (first, second, third) for each in answer.outcomes] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert IngestionRun.objects.get().read == 5
    again, other = answers_to(
        sent(sender, {"key": "b"}, key="k-1"), sent(sender, {"key": "d"}, key="k-2")
    )
    assert again == second._replace(is_repeated=True)
    assert (other.is_repeated, IngestionRun.objects.get().read) == (False, 6)
    (refused,) = landing.land_together([sent(sender, {"key": "e"}, key="k-1")])
    assert isinstance(refused, KeyReused)


def test_who_is_limited_to_some_sources_sends_to_no_others(sender):
    Source.objects.create(name="shop", mapping=KEYED)
    with limited_to({"depot"}):
        for source in ("shop", "new"):
            with pytest.raises(PermissionDenied):
                Queue().save(sent(sender, {"key": "a"}, source=source))
    assert list(Source.objects.values_list("name", flat=True)) == ["shop"]
    assert not IngestionRun.objects.exists()


def test_a_request_that_can_not_land_does_not_keep_others_from_it(sender, monkeypatch):
    Source.objects.create(name="shop", mapping=KEYED)
    real = landing.land_together

    def fails(requests: Any) -> Any:
        if any("bad" in event.text for request in requests for event in request.events):
            raise ValueError("bad")
        return real(requests)

    monkeypatch.setattr(service, "land_together", fails)
    waiting = [service._Waiting(sent(sender, {"key": name})) for name in ("a", "bad", "c")]
    service._land(waiting)
    assert [type(each.error) for each in waiting] == [type(None), ValueError, type(None)]
    assert DataRecord.objects.count() == 2


def test_a_lane_takes_what_fits_and_each_key_once(sender, monkeypatch):
    monkeypatch.setattr(service, "MAX_ITEMS", 3)
    lane = service._Lane()
    requests = [
        sent(sender, {}, {}),
        sent(sender, {}),
        sent(sender, {}, key="k"),
        sent(sender, {}, key="k"),
        sent(sender, {}, {}, {}, {}),
    ]
    lane.waiting.extend(service._Waiting(each) for each in requests)
    taken = []
    while lane.waiting:
        taken.append([len(each.sent.events) for each in lane.take()])
    assert taken == [[2, 1], [1], [1], [4]]


@pytest.mark.django_db(transaction=True)
def test_many_clients_at_once_share_transactions(sender, monkeypatch):
    if not bulk.is_postgresql():
        pytest.skip("Threads of a test share one connection to SQLite.")
    Source.objects.create(name="shop", mapping=KEYED)
    groups: list[int] = []
    real = landing.land_together

    def counted(requests: Any) -> Any:
        groups.append(len(requests))
        return real(requests)

    monkeypatch.setattr(service, "land_together", counted)

    def send(number: int) -> list[dict[str, Any]]:
        found = []
        try:
            for turn in range(20):
                body = json.dumps([{"key": f"{number}-{turn}"}, {"key": "shared", "n": number}, 1])
                answer = client_of(sender).post(URL, body, content_type="application/json")
                assert answer.status_code == 207
                found += answer.json()["outcomes"]
        finally:
            connection.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        outcomes = [each for found in pool.map(send, range(8)) for each in found]
    run = IngestionRun.objects.get()
    assert sorted(each["line"] for each in outcomes) == list(range(1, 481))
    names = ("created", "updated", "unchanged", "rejected")
    said = {name: sum(each["outcome"] == name for each in outcomes) for name in names}
    assert said == {name: getattr(run, name) for name in names}
    assert (run.created, run.rejected) == (161, 160)
    assert DataRecord.objects.count() == 161
    assert sum(groups) == 160
    assert len(groups) < 160


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_once_lands_once(sender):
    if not bulk.is_postgresql():
        pytest.skip("Threads of a test share one connection to SQLite.")
    Source.objects.create(name="shop", mapping=KEYED)
    # A queue for each thread, as in web processes of their own.
    start = threading.Barrier(6)

    def send(_: int) -> tuple[list[dict[str, Any]], bool]:
        try:
            start.wait()
            answer = Queue().save(sent(sender, {"key": "a"}, {"n": 1}, key="k"))
            return answer.outcomes, answer.is_repeated
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert [outcomes for outcomes, _ in answers] == [answers[0][0]] * 6
    assert sorted(is_repeated for _, is_repeated in answers) == [False] + [True] * 5
    assert IngestionRun.objects.get().read == 2


def test_workers_are_woken_once_a_moment_and_after_the_last_event(settings, monkeypatch):
    settings.EVENTS_WAKE_SECONDS = 0.2
    woken: list[float] = []
    monkeypatch.setattr(service, "_announce", lambda source: woken.append(time.monotonic()))
    queue, began = Queue(), time.monotonic()
    for _ in range(5):
        queue._wake(Source(pk=1, name="shop"))
    assert len(woken) == 1
    while len(woken) < 2 and time.monotonic() < began + 10:
        time.sleep(0.01)
    time.sleep(0.3)
    assert len(woken) == 2
    assert woken[1] - woken[0] >= 0.19
