"""A server that is killed under load: each event that it has confirmed is there, exactly once."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest

from tests.faults.test_killed import kill_web, part
from tests.installation import Installation, kill, wait_for
from tests.site import Site

pytestmark = pytest.mark.cluster

SENDERS = 6
KNOWN = """
from records.models import Source
roles = {"id": [], "timestamp": [], "value": [], "category": []}
Source.objects.create(name="%s", mapping=roles)
"""


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    return Site(own_installation, "--no-samples")


class Sender:
    """Sends events one after the other until it is to end, and repeats what was not confirmed."""

    def __init__(self, site: Site, source: str, number: int) -> None:
        self.site, self.number, self.source = site, number, source
        self.confirmed: list[dict[str, Any]] = []
        self.sent = 0

    def run(self, ending: threading.Event) -> None:
        while not ending.is_set():
            name = f"{self.number}-{self.sent}"
            self.sent += 1
            good, bad = {"name": name}, [name]
            self.confirmed += self._confirmed(json.dumps([good, bad]), key=name)

    def _confirmed(self, body: str, *, key: str) -> list[dict[str, Any]]:
        """The outcomes of a request, which is repeated with its key until there is an answer."""
        for _ in range(600):
            try:
                return self._post(body, key)
            except (OSError, HTTPException):
                time.sleep(0.1)
        raise AssertionError("no answer")

    def _post(self, body: str, key: str) -> list[dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        try:
            connection.request(
                "POST",
                f"/api/v1/sources/{self.source}/events",
                body,
                {
                    "Content-Type": "application/json",
                    "Authorization": self.site.token,
                    "Idempotency-Key": key,
                },
            )
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status in (502, 503):
            raise OSError(said)
        assert answer.status == 207, said
        found: list[dict[str, Any]] = json.loads(said)["outcomes"]
        return found


def more(site: Site, read: str) -> None:
    """Wait until some more events have come."""
    rows = site.installation.rows
    before = rows(read)[0][0]
    wait_for(lambda: rows(read)[0][0] > before + 40, seconds=60, what="events")


def run(site: Site, source: str, *, kills: int) -> None:
    """Send events while the server is killed so often, and compare what was said with what is."""
    site.installation.manage("shell", "-v0", "-c", KNOWN % source)
    read = (
        "SELECT COALESCE(SUM(read), 0) FROM ingestion_runs JOIN sources ON sources.id = source_id "
        f"WHERE name = '{source}'"
    )
    senders = [Sender(site, source, number) for number in range(SENDERS)]
    ending = threading.Event()
    with ThreadPoolExecutor(SENDERS) as pool:
        running = [pool.submit(sender.run, ending) for sender in senders]
        try:
            for _ in range(kills):
                more(site, read)
                kill_web(site)
            more(site, read)
        finally:
            ending.set()
        for each in running:
            each.result()
    _check(site, source, senders)


def _check(site: Site, source: str, senders: list[Sender]) -> None:
    rows = site.installation.rows
    outcomes = [each for sender in senders for each in sender.confirmed]
    sent = sum(sender.sent for sender in senders)
    assert len(outcomes) == 2 * sent
    # Every request had a key, so even those that had to be repeated are there once.
    records = rows(f"SELECT id FROM data_records WHERE source = '{source}'")
    said = Counter(each["id"] for each in outcomes if each["outcome"] == "created")
    assert Counter(record for (record,) in records) == said
    assert set(said.values()) == {1}
    assert len(said) == sent
    rejected = rows(
        "SELECT rejected_rows.id FROM rejected_rows JOIN ingestion_runs ON run_id = "
        "ingestion_runs.id JOIN sources ON sources.id = source_id "
        f"WHERE sources.name = '{source}'"
    )
    told = Counter(each["rejected_row"] for each in outcomes if each["outcome"] == "rejected")
    assert Counter(number for (number,) in rejected) == told
    assert set(told.values()) == {1}
    ledger = rows(
        "SELECT SUM(read), SUM(created), SUM(updated), SUM(unchanged), SUM(rejected) FROM "
        "ingestion_runs JOIN sources ON sources.id = source_id "
        f"WHERE name = '{source}' AND how = 'events'"
    )[0]
    assert tuple(map(int, ledger)) == (2 * sent, sent, 0, 0, sent)
    lines = rows(
        "SELECT line, COUNT(*) FROM (SELECT run_id, line FROM data_records WHERE source = "
        f"'{source}' UNION ALL SELECT run_id, line FROM rejected_rows) found "
        "GROUP BY run_id, line HAVING COUNT(*) > 1"
    )
    assert lines == []


def test_confirmed_events_survive_a_kill_of_the_server(site):
    run(site, "short", kills=2)


def test_a_server_that_is_killed_processes_what_it_took(site):
    rows = site.installation.rows
    raw = "SELECT COUNT(*) FROM data_records WHERE source = 'short' AND status <> 'processed'"
    kill(part(site, "gunicorn"))
    wait_for(lambda: rows(raw) == [(0,)], seconds=60, what="the processing")


@pytest.mark.long
def test_confirmed_events_survive_many_kills_of_the_server(site):
    run(site, "long", kills=40)
