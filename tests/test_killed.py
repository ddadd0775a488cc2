"""Whatever is killed in the middle of an upload, it finishes by itself and the ledger is right."""

import json
import signal
import sys
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import psutil
import pytest

from tests.installation import Installation, family, kill, wait_for
from tests.postgres import free_port

pytestmark = pytest.mark.cluster

ROWS = 100_000
# Every thousandth row is too short; every five-hundredth repeats the key before it.
REJECTED, UPDATED = 100, 199


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("files") / "big.csv"
    with path.open("w") as text:
        text.write("id,timestamp,value,category,note\n")
        for n in range(ROWS):
            if n % 1000 == 7:
                text.write(f"{n}\n")
            else:
                key = n if n % 500 or not n else n - 1
                text.write(f"{key},2026-01-{n % 28 + 1:02}T10:00:00,{n}.5,C{n % 9},note {n}\n")
    return path


class Started:
    """`manage.py start`, and its upload page as a browser without JavaScript uses it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = free_port()
        self.start()

    def start(self) -> None:
        command = (sys.executable, "manage.py", "start", "--no-samples", "--port", str(self.port))
        before = self.installation.log.count("Ctrl-C") if self.has_log else 0
        self.process = self.installation.start(*command)
        wait_for(
            lambda: self.installation.log.count("Ctrl-C") > before, seconds=90, what="the start"
        )

    @property
    def has_log(self) -> bool:
        return (self.installation.folder / "log").exists()

    def part(self, of: str) -> psutil.Process:
        return next(p for p in family(self.process.pid) if of in " ".join(p.cmdline()))

    def upload(self, file: Path, source: str) -> None:
        url = f"http://127.0.0.1:{self.port}"
        login = json.loads((self.installation.folder / "login.json").read_text())
        cookies = CookieJar()
        opener = build_opener(HTTPCookieProcessor(cookies))

        def post(path: str, data: bytes, kind: str) -> str:
            opener.open(f"{url}{path}").close()
            token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
            headers = {"Content-Type": kind, "X-CSRFToken": token or "", "Referer": url}
            with opener.open(Request(f"{url}{path}", data, headers)) as answer:
                return str(answer.url)

        form = urlencode({"username": login["name"], "password": login["password"]})
        post("/login/", form.encode(), "application/x-www-form-urlencoded")
        body = (
            f'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\n{source}\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
        ).encode() + file.read_bytes()
        landed_at = post("/upload/", body + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")
        assert "/runs/ingestion/" in landed_at

    def read(self, source: str) -> int:
        found = self.installation.rows(
            "SELECT read FROM ingestion_runs JOIN sources ON sources.id = source_id "
            f"WHERE name = '{source}'"
        )
        return int(found[0][0]) if found else 0


@pytest.fixture(scope="module")
def started(own_installation: Installation) -> Started:
    return Started(own_installation)


def kill_ingestion(started: Started) -> None:
    kill(started.part("dataflow_site.cluster ingestion"))


def kill_web(started: Started) -> None:
    kill(started.part("gunicorn"))


def kill_everything(started: Started) -> None:
    everyone = [*family(started.process.pid), psutil.Process(started.process.pid)]
    for process in everyone:
        kill(process)
    started.process.wait()
    started.start()


def interrupt(started: Started) -> None:
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(30) == 0
    started.start()


@pytest.mark.parametrize("end", [kill_ingestion, kill_web, kill_everything, interrupt])
def test_an_upload_finishes_after(end: Callable[[Started], None], started, file):
    source = end.__name__
    started.upload(file, source)
    wait_for(lambda: started.read(source) > 0, seconds=30, what="the first batch")
    assert started.read(source) < ROWS
    end(started)
    rows = started.installation.rows
    ledger = (
        "SELECT state, read, created, updated, unchanged, rejected FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )
    wait_for(lambda: rows(ledger)[0][0] != "running", seconds=120, what="the end of the run")
    assert rows(ledger) == [("finished", ROWS, ROWS - REJECTED - UPDATED, UPDATED, 0, REJECTED)]
    records = f"SELECT COUNT(*) FROM data_records WHERE source = '{source}'"
    assert rows(records) == [(ROWS - REJECTED - UPDATED,)]
    processed = f"{records} AND status = 'processed'"
    wait_for(lambda: rows(processed) == rows(records), seconds=120, what="the processing")
    assert rows(
        f"SELECT COUNT(*) FROM processing_results WHERE current AND record_id LIKE '{source}:%'"
    ) == rows(records)
