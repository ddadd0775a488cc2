"""Clients that are slow, or send too much, keep neither others nor the database waiting."""

import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.installation import Installation, family, wait_for
from tests.site import Site
from tests.wire import HOST, drips, how_often, read_all, sips, talk

pytestmark = pytest.mark.cluster

GET = b"GET /health HTTP/1.1\r\n" + HOST
CLOSE = b"Connection: close\r\n\r\n"
SLOW_BODY = b"POST /login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n"
SLOW_HEADERS = b"GET /login/ HTTP/1.1\r\n" + HOST + b"X-Slow: "
ROWS = 60_000
SHARED_MEMORY = "/dev/shm"  # noqa: S108
# Too large to stay in memory.
LARGE = b"id,text\n" + b"".join(b"%d,%s\n" % (number, b"x" * 10_000) for number in range(200))


@pytest.fixture(scope="module")
def site(
    own_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site with a source that makes a large file."""
    file = tmp_path_factory.mktemp("rows") / "large.csv"
    with file.open("w") as rows:
        rows.write("id,text\n")
        rows.writelines(f"{number},{'x' * 500}\n" for number in range(ROWS))
    own_installation.manage("ingest", str(file), "--source", "large")
    # Not the slots of exports are under test.
    own_installation.environment |= {
        "DATAFLOW_EXPORTS_PER_USER": "100",
        "DATAFLOW_EXPORTS_AT_ONCE": "100",
        # On a busy machine the large export takes longer than by default.
        "WEB_STOP_SECONDS": "60",
    }
    started = Site(own_installation, "--no-samples")
    # It is well when its workers have given their first sign of life, too.
    wait_for(lambda: is_well(started), seconds=120, what="the workers")
    yield started
    started.interrupt()


def is_well(site: Site) -> bool:
    try:
        with urlopen(f"{site.url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def answers(site: Site) -> bool:
    """Whether the web server answers, long before it would drop a slow client.

    Its workers may be late to say that they are alive while other tests use the machine.
    """
    try:
        with urlopen(f"{site.url}/health", timeout=10):
            return True
    except HTTPError as error:
        return error.code == HTTPStatus.SERVICE_UNAVAILABLE
    except (URLError, OSError):
        return False


@pytest.mark.any_database
@pytest.mark.parametrize("count", [8, 16, 60])
def test_clients_that_send_a_body_byte_by_byte_keep_nobody_waiting(site: Site, count: int) -> None:
    with drips(site.port, count, SLOW_BODY):
        assert how_often(lambda: answers(site)) == 20


@pytest.mark.any_database
def test_clients_that_send_headers_byte_by_byte_keep_nobody_waiting(site: Site) -> None:
    with drips(site.port, 60, SLOW_HEADERS):
        assert how_often(lambda: answers(site)) == 20


@pytest.mark.any_database
def test_slow_clients_are_dropped(site: Site) -> None:
    with (
        drips(site.port, 30, SLOW_HEADERS) as headers,
        drips(site.port, 30, SLOW_BODY) as bodies,
        drips(site.port, 30, SLOW_BODY.replace(b"/login/", b"/ingest")) as uploads,
    ):
        for slow in (headers, bodies, uploads):
            wait_for(slow.are_gone, seconds=90, what="the end of slow clients")
    assert min(headers.seconds) > 10
    assert min(bodies.seconds + uploads.seconds) > 15


@pytest.mark.any_database
def test_more_slow_clients_than_a_process_has_connections_are_dropped_sooner(site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        with drips(site.port, 2_400, SLOW_HEADERS) as slow:
            wait_for(lambda: answers(site), seconds=60, what="an answer")
            wait_for(lambda: len(slow.seconds) > 1_000, seconds=60, what="the end of most")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def export(site: Site, *, buffer: int = 1 << 12) -> socket.socket:
    """A connection on which an export has been asked for, whose reader is slow."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", site.port))
    connection.sendall(
        b"GET /export?format=csv HTTP/1.1\r\n"
        + HOST
        + f"Authorization: {site.token}\r\n\r\n".encode()
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    return connection


def open_exports(site: Site) -> int:
    """How many transactions PostgreSQL has open for them."""
    (row,) = site.installation.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND query LIKE '%CURSOR%' AND state <> 'idle'"
    )
    return int(row[0])


def test_slow_readers_of_exports_hold_no_transaction_and_get_the_whole_file(site: Site) -> None:
    with ExitStack() as stack:
        readers = [stack.enter_context(export(site)) for _ in range(12)]
        with sips(readers) as taken:
            assert how_often(lambda: answers(site)) == 20
            if site.installation.database_url:
                wait_for(lambda: not open_exports(site), seconds=15, what="the end of transactions")
        answer = taken[readers[0]] + read_all(readers[0])
    assert answer.endswith(b"0\r\n\r\n")
    assert len(answer) > ROWS * 500


def test_a_reader_of_an_export_who_takes_nothing_is_dropped(site: Site) -> None:
    with export(site) as reader:
        time.sleep(35)
        answer = read_all(reader)
    assert not answer.endswith(b"0\r\n\r\n")
    assert len(answer) < ROWS * 500


def test_a_reader_who_left_is_noticed(site: Site) -> None:
    for _ in range(12):
        export(site).close()
    assert how_often(lambda: answers(site)) == 20
    wait_for(lambda: spooled(site) == 0, seconds=30, what="the end of the answers")


def spooled(site: Site) -> int:
    """The bytes in files without a name that processes of the site have open."""
    found = 0
    for process in family(site.process.pid):
        try:
            for link in Path(f"/proc/{process.pid}/fd").iterdir():
                target = str(link.readlink())
                if target.endswith(" (deleted)") and not target.startswith(SHARED_MEMORY):
                    found += link.stat().st_size
        except (OSError, psutil.Error):
            continue
    return found


def upload(site: Site, path: str, length: int, *headers: str) -> socket.socket:
    """A connection on which the first 8 MB of such a large file have been sent."""
    connection = socket.create_connection(("127.0.0.1", site.port), 60)
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: text/csv", *headers]
    head.append(f"Content-Length: {length}")
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    connection.sendall(b"id,value\n" + b"1234,56\n" * 1_000_000)
    return connection


@pytest.mark.any_database
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Open files are seen in /proc only.")
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/upload/", ()),
        ("/ingest?source=s", ()),
        ("/ingest?source=s", ("Cookie: sessionid=made-up",)),
        ("/ingest?source=s", (f"Authorization: Token {'a' * 64}",)),
        ("/login/", ()),
        ("/process", ()),
    ],
)
def test_what_nobody_may_send_never_reaches_the_disk(
    site: Site, path: str, headers: tuple[str, ...]
) -> None:
    with upload(site, path, 1 << 30, *headers):
        for _ in range(10):
            assert spooled(site) < 1 << 20
            time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Open files are seen in /proc only.")
def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    inputs = site.installation.folder / "inputs"
    before = sorted(inputs.rglob("*"))
    for path in ("/ingest?source=s", "/api/ingest?source=s"):
        with upload(site, path, 1 << 30, f"Authorization: {site.token}"):
            wait_for(lambda: spooled(site) > 4_000_000, seconds=30, what="the upload")
        wait_for(lambda: spooled(site) == 0, seconds=30, what="the end of the upload")
    assert sorted(inputs.rglob("*")) == before
    assert "Traceback" not in site.output


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("path", "length", "status"),
    [("/login/", 4_000_000, b"413"), ("/process", 4_000_000, b"413"), ("/ingest", 9, b"401")],
)
def test_a_client_that_has_sent_a_body_in_vain_is_told_why(
    site: Site, path: str, length: int, status: bytes
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n".encode()
    answer = talk(site.port, head + CLOSE + b"x" * length)
    assert answer.startswith(b"HTTP/1.1 " + status)
    if status == b"413":
        assert b"The request is too large" in answer


@pytest.mark.any_database
def test_a_client_that_asks_first_need_not_send_what_is_refused(site: Site) -> None:
    head = b"HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n"
    assert talk(site.port, b"POST /login/ " + head).startswith(b"HTTP/1.1 413")
    assert talk(site.port, b"POST /ingest " + head).startswith(b"HTTP/1.1 401")


@pytest.mark.any_database
def test_a_client_that_asks_first_is_told_to_go_on(site: Site) -> None:
    body = LARGE
    with socket.create_connection(("127.0.0.1", site.port), 30) as connection:
        connection.sendall(
            b"POST /ingest?source=asked HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
            + f"Authorization: {site.token}\r\nContent-Length: {len(body)}\r\n".encode()
            + b"Connection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_all(connection).startswith(b"HTTP/1.1 202")


@pytest.mark.any_database
def test_a_body_may_come_in_chunks(site: Site) -> None:
    body = LARGE
    pieces = [body[start : start + 50_000] for start in range(0, len(body), 50_000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    answer = talk(
        site.port,
        b"POST /ingest?source=chunks HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
        + f"Authorization: {site.token}\r\n".encode()
        + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks
        + b"0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 202")


def test_a_large_upload_is_loaded(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "whole.csv"
    file.write_bytes(LARGE)
    site.upload(file, "whole")

    wait_for(
        lambda: site.get("/records?source=whole", Authorization=site.token)[1]["count"],
        seconds=60,
        what="its records",
    )


@pytest.mark.any_database
def test_requests_of_one_connection_are_answered_in_order(site: Site) -> None:
    answers = talk(site.port, (GET + b"\r\n") * 2 + SLOW_HEADERS + b"1\r\n" + CLOSE)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200"] * 3


@pytest.mark.any_database
@pytest.mark.parametrize(
    "request_head", [b"GET /health HTTP/1.0\r\n\r\n", b"GET /health HTTP/1.1\r\n" + HOST + CLOSE]
)
def test_a_client_may_close_its_side_first(site: Site, request_head: bytes) -> None:
    assert b" 200 OK" in talk(site.port, request_head, half_close=True)


@pytest.mark.any_database
def test_a_proxy_on_this_machine_says_that_it_was_reached_by_https(site: Site) -> None:
    headers = {"Authorization": site.token, "X-Forwarded-Proto": "https"}
    for scheme, given in (("https", headers), ("http", {"Authorization": site.token})):
        status, answer = site.get("/records?source=large&limit=1", **given)
        assert status == 200
        assert answer["next"].startswith(f"{scheme}://")


@pytest.mark.any_database
def test_head_is_answered_without_a_body(site: Site) -> None:
    head = talk(site.port, b"HEAD /login/ HTTP/1.1\r\n" + HOST + CLOSE)
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) > 500  # type: ignore[index]
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", b"400"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5_000, b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
    ],
)
def test_what_is_no_request_is_refused(site: Site, sent: bytes, status: bytes) -> None:
    assert re.match(rb"HTTP/1\.[01] " + status, talk(site.port, sent))
    assert "Traceback" not in site.output


def test_the_longest_record_key_fits_into_an_address(site: Site) -> None:
    key = "%F0%9F%98%80" * 255
    request = Request(f"{site.url}/records/{key}", headers={"Authorization": site.token})
    with pytest.raises(URLError, match="404"):
        urlopen(request, timeout=20)


def test_what_was_asked_for_is_answered_before_a_stop(site: Site) -> None:
    with export(site, buffer=1 << 20) as reader:
        gunicorn = [each for each in family(site.process.pid) if "gunicorn" in each.cmdline()]
        gunicorn[0].terminate()
        answer = read_all(reader)
    assert answer.endswith(b"0\r\n\r\n")
    wait_for(lambda: is_well(site), seconds=60, what="the next web server")


def web_workers(site: Site) -> list[psutil.Process]:
    """The processes that answer requests."""
    (gunicorn, *_) = [each for each in family(site.process.pid) if "gunicorn" in each.cmdline()]
    return gunicorn.children()


@pytest.mark.long
def test_a_process_that_no_longer_answers_is_replaced(site: Site) -> None:
    stuck, other = web_workers(site)
    stuck.suspend()
    wait_for(lambda: not stuck.is_running(), seconds=180, what="the end of the process")
    wait_for(lambda: len(web_workers(site)) == 2, seconds=60, what="another process")
    assert other in web_workers(site)
    assert how_often(lambda: is_well(site)) == 20


@pytest.mark.long
def test_slow_clients_of_all_kinds_keep_nobody_waiting_for_long(site: Site) -> None:
    before = sum(each.memory_info().rss for each in web_workers(site))
    rounds = int(os.environ.get("DATAFLOW_ROUNDS", "20"))
    for number in range(rounds):
        with ExitStack() as stack:
            for start in (SLOW_BODY, SLOW_HEADERS, SLOW_BODY.replace(b"/login/", b"/ingest")):
                stack.enter_context(drips(site.port, 60, start))
            for _ in range(12):
                stack.enter_context(export(site))
            assert how_often(lambda: is_well(site), tries=60) == 60
        print(f"round {number + 1} of {rounds}", flush=True)  # noqa: T201
    wait_for(lambda: spooled(site) == 0, seconds=60, what="the end of the answers")
    assert sum(each.memory_info().rss for each in web_workers(site)) < before + (200 << 20)
