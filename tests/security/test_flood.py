"""One client that sends 200 requests a second is slowed down, and others are not."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.installation import Installation, wait_for
from tests.site import Site

pytestmark = pytest.mark.cluster

FLOOD, OTHER = "127.0.0.2", "127.0.0.3"
PATH = "/api/stats"
RATE, CONNECTIONS = 200, 8
# What a client may send a second, and what it may send at once after a pause.
LIMIT, BURST = 20, 100


class Answer(NamedTuple):
    status: int
    seconds: float
    retry_after: str | None


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    """A site with the limits of an installation."""
    for name, limit in (("ADDRESS", 60), ("USER", 30), ("TOKEN", LIMIT)):
        own_installation.environment[f"DATAFLOW_REQUESTS_PER_{name}"] = str(limit)
    started = Site(own_installation)
    wait_for(lambda: started.get("/health")[0] == 200, seconds=90, what="its health")
    return started


class Client:
    """A program at an address of its own; without a token, what it asks for is refused."""

    def __init__(self, site: Site, address: str, token: str) -> None:
        self.token = token
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", site.port, source_address=(address, 0), timeout=60
        )

    def ask(self) -> Answer:
        began = time.perf_counter()
        headers = {"Authorization": self.token} if self.token else {}
        self.connection.request("GET", PATH, headers=headers)
        response = self.connection.getresponse()
        response.read()
        waited = response.getheader("Retry-After")
        return Answer(response.status, time.perf_counter() - began, waited)


@contextmanager
def flood(site: Site, token: str) -> Iterator[list[Answer]]:
    """So many requests a second while the block runs, or as many as the machine can send."""
    is_over = threading.Event()
    answers: list[Answer] = []

    def send() -> None:
        client, due = Client(site, FLOOD, token), time.perf_counter()
        while not is_over.is_set():
            answers.append(client.ask())
            due += CONNECTIONS / RATE
            time.sleep(max(due - time.perf_counter(), 0))

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def served(site: Site, number: int) -> list[Answer]:
    """The answers to another client, which asks now and then."""
    client, answers = Client(site, OTHER, ""), []
    for _ in range(number):
        answers.append(client.ask())
        time.sleep(0.1)
    return answers


def test_a_flood_is_answered_429_and_others_are_not(site: Site) -> None:
    began = time.perf_counter()
    with flood(site, site.token) as sent:
        wait_for(lambda: any(each.status == 429 for each in sent), seconds=120, what="a refusal")
        others = served(site, 30)
    seconds = time.perf_counter() - began
    refused = [each for each in sent if each.status == 429]
    assert {each.status for each in sent} == {200, 429}
    # A full bucket is empty after five seconds.
    assert {each.retry_after for each in refused} <= {"1", "2", "3", "4", "5"}
    # Two processes add up what they have counted twice a second.
    assert len(sent) - len(refused) <= BURST * 2 + LIMIT * 2 * seconds
    assert {each.status for each in others} == {401}
