"""Only so many exports stream at once, for each person and in all; what ends frees its slot."""

import http.client
import json
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import psutil
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from explore.export import request, workbook
from records.errors import TimeIsUp, TooManyExports
from records.jobs import export_slots
from records.jobs.workers import worker_name
from records.models import DataRecord, ExportSlot
from records.rows import Reject
from tests.installation import Installation, family, kill, wait_for
from tests.landed import land, sale
from tests.people import viewer
from tests.postgres import free_port

pytestmark = pytest.mark.django_db

# A response that is closed closes the connection to the database as well.
closing = pytest.mark.django_db(transaction=True)
PAGE, API = "/explore/export?format=csv", "/api/export?format=ndjson"


def client_of(name: str) -> APIClient:
    client = APIClient()
    client.force_login(User.objects.filter(username=name).first() or viewer(name))
    return client


@pytest.fixture
def reader() -> APIClient:
    land("shop", {"1": sale(1), "2": sale(2)})
    return client_of("reader")


def test_a_person_has_two_exports_at_once_and_is_told_when_to_ask_again(reader):
    under_way = [reader.get(PAGE), reader.get(API)]
    page, api = reader.get(PAGE), reader.get(API)
    assert (page.status_code, api.status_code) == (429, 429)
    assert page["Retry-After"] == api["Retry-After"] == "15"
    sentence = "You already have 2 exports running, which is the limit."
    assert sentence in page.content.decode()
    assert sentence in api.json()["detail"]
    assert list(api.json()) == ["detail"]
    assert client_of("another").get(API).status_code == 200
    b"".join(under_way[0])
    assert reader.get(PAGE).status_code == 200


@closing
def test_all_together_have_four_exports_at_once(reader):
    under_way = [client_of(name).get(API) for name in ("a", "a", "b", "b")]
    answer = reader.get(API)
    assert answer.status_code == 429
    assert "The server is busy with 4 exports." in answer.json()["detail"]
    under_way[3].close()
    assert reader.get(API).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_the_same_moment_get_no_more_than_there_are(reader, settings):
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        pytest.skip("The threads of a test share one connection to SQLite.")
    users = [User.objects.create_user(f"user{number}") for number in range(12)]

    def ask(user: User) -> bool:
        try:
            export_slots.take(user)
        except TooManyExports:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(ask, users)) == 4
    assert ExportSlot.objects.count() == 4


@closing
@pytest.mark.parametrize("way", ["read", "left", "never read", "no body"])
def test_a_slot_is_free_however_its_export_ends(reader, way):
    answer = reader.head(API) if way == "no body" else reader.get(API)
    if way == "read":
        b"".join(answer)
    elif way == "left":
        next(iter(answer.streaming_content))
        assert ExportSlot.objects.count() == 1
    answer.close()
    assert not ExportSlot.objects.exists()
    assert answer["X-Total-Records"] == "2"


def test_a_slot_is_free_after_what_can_not_be_exported(reader, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    assert reader.get("/api/export?format=xlsx").status_code == 400
    monkeypatch.setattr(workbook, "content", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reader.get("/api/export?format=xlsx")
    assert not ExportSlot.objects.exists()


def test_what_is_refused_takes_no_slot(reader):
    assert reader.get("/api/export?status=done").status_code == 400
    assert not ExportSlot.objects.exists()


def test_the_slot_of_a_process_that_is_gone_or_whose_time_is_over_is_free(reader):
    user = User.objects.get(username="reader")
    alive, ahead = worker_name(), timezone.now() + timedelta(hours=1)
    machine = alive.split(":")[0]
    gone = next(pid for pid in range(400_000, 4_000_000) if not psutil.pid_exists(pid))
    ExportSlot.objects.create(user=user, worker=f"{machine}:{gone}:x", lease_until=ahead)
    ExportSlot.objects.create(user=user, worker=alive, lease_until=timezone.now())
    assert reader.get(API).status_code == 200
    assert ExportSlot.objects.count() == 1


def test_an_export_that_takes_too_long_is_broken_off_and_frees_its_slot(reader, monkeypatch):
    answer = reader.get(API)
    late = SimpleNamespace(monotonic=lambda: float("inf"))
    monkeypatch.setattr("records.jobs.export_slots.time", late)
    with pytest.raises(TimeIsUp, match="stopped after 600 seconds"):
        next(iter(answer.streaming_content))
    assert not ExportSlot.objects.exists()


def test_a_count_that_takes_too_long_is_said_before_the_first_byte(reader, settings):
    land("many", {str(number): sale(number) for number in range(5_000)})
    settings.EXPORT_SECONDS = 0.001
    answer = reader.get("/api/export?format=csv&q=nowhere")
    assert answer.status_code == 400
    assert "The export was stopped after 0.001 seconds" in answer.json()["detail"]
    assert not ExportSlot.objects.exists()
    assert DataRecord.objects.count() == 5_002


def test_rejected_rows_are_given_out_in_slots_as_well(reader):
    run = land("bad", {}, rejects=(Reject(2, b"a", "width", "1 cell, not 2"),))
    page = f"/runs/ingestion/{run.pk}/rejected.csv"
    under_way = [reader.get(page), reader.get(API)]
    assert reader.get(page).status_code == 429
    assert b"1 cell, not 2" in b"".join(under_way[0])
    assert reader.get(page).status_code == 200


def test_a_small_workbook_takes_a_slot_as_well(reader, monkeypatch):
    monkeypatch.setattr(request, "MOST_AT_ONCE", 2)
    under_way = [reader.get("/api/export?format=xlsx") for _ in range(2)]
    assert [answer.status_code for answer in under_way] == [200, 200]
    assert reader.get("/api/export?format=xlsx").status_code == 429


PREPARE = """
from tests.people import viewer
from tests.tokens import token_of
from benchmarks.export import land
land(0, {records})
for name in ("a", "b"):
    print(token_of(viewer(name)))
"""


class Server:
    """A gunicorn of two processes on an installation with many records."""

    def __init__(self, at: Installation, records: int) -> None:
        self.at, self.port = at, free_port()
        printed = at.manage("shell", "-v0", "-c", PREPARE.format(records=records))
        self.tokens = printed.split()[-2:]
        command = (sys.executable, "-m", "gunicorn", "--config", "python:dataflow_site.gunicorn")
        self.process = at.start(*command, PORT=str(self.port))
        wait_for(lambda: self.health(120), seconds=120, what=f"the server; {at.log}")

    def ask(self, path: str, token: str = "", *, seconds: float = 120) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        headers = {"Authorization": f"Token {token}"} if token else {}
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def health(self, seconds: float) -> float:
        """How long the answer takes; 0 where nobody answers."""
        started = time.monotonic()
        try:
            self.ask("/health", seconds=seconds).read()
        except OSError:
            return 0
        return time.monotonic() - started

    @property
    def slots(self) -> int:
        return int(self.at.rows("SELECT COUNT(*) FROM export_slots")[0][0])


@pytest.fixture(scope="module")
def server(own_installation: Installation) -> Server:
    """Of so many records that no socket takes all of an export before its reader has left."""
    return Server(own_installation, records=60_000)


@pytest.mark.cluster
def test_readers_who_leave_or_do_not_read_keep_no_slot_of_a_real_server(server):
    token = server.tokens[0]
    wait_for(lambda: server.slots == 0, seconds=60, what="that no export is under way")
    leaving, waiting = [server.ask("/api/export?format=ndjson", token) for _ in range(2)]
    assert (leaving.status, waiting.status) == (200, 200)
    leaving.read(1000)
    leaving.close()
    # What is not read yet lies in the buffer of the web server: its query is over.
    wait_for(lambda: server.slots == 0, seconds=60, what="that the slots are free")
    assert server.ask("/api/export?q=nowhere", token).status == 200
    waiting.close()


@pytest.mark.cluster
def test_a_process_that_is_killed_frees_its_slots(server):
    token = server.tokens[0]
    wait_for(lambda: server.slots == 0, seconds=60, what="that no export is under way")
    under_way = [server.ask("/api/export?format=ndjson", token) for _ in range(2)]
    assert [answer.status for answer in under_way] == [200, 200]
    for process in family(server.process.pid):
        kill(process)
    wait_for(lambda: server.health(30), seconds=90, what="new processes")
    assert server.ask("/api/export?q=nowhere", token).status == 200


@pytest.mark.cluster
def test_eight_large_workbooks_at_once_leave_the_site_answering(server):
    """They took all threads of all processes before; a health check waited for half a minute."""
    with ThreadPoolExecutor(8) as threads:
        asking = [
            threads.submit(server.ask, "/api/export?format=xlsx", server.tokens[n % 2])
            for n in range(8)
        ]
        times = [server.health(60) for _ in range(5)]
        answers = [each.result() for each in asking]
    assert {answer.status for answer in answers} == {202}
    assert len({json.load(answer)["id"] for answer in answers}) == 2
    assert max(times) < 30
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGTERM)


def test_the_page_of_many_is_shown_without_java_script(reader):
    under_way = [reader.get(PAGE), reader.get(PAGE)]
    browser = Client()
    browser.force_login(User.objects.get(username="reader"))
    page = browser.get(PAGE)
    assert page.status_code == 429
    assert "Too many requests" in page.content.decode()
    assert len(under_way) == 2
