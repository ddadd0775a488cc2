"""A body of 10 GB is refused, whatever URL it is sent to, and others are answered meanwhile.

``pytest -s -m long tests/security/test_large_bodies.py``
"""

import socket
import time
from threading import Thread

import pytest

from tests.installation import Installation, wait_for
from tests.site import Site
from tests.wire import read_all

pytestmark = [pytest.mark.cluster, pytest.mark.long]

LENGTH = 10 << 30
PART = b"id,value\n" * (1 << 17)
CSV, LINES, FORM = "text/csv", "application/x-ndjson", "application/x-www-form-urlencoded"
REQUESTS = [
    ("/ingest?source=s", CSV, 413),
    ("/api/v1/records?source=s", LINES, 413),
    ("/process", FORM, 413),
    ("/login/", FORM, 413),
    # A form without its token is refused for that.
    ("/upload/", FORM, 403),
]


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    started = Site(own_installation, "--no-samples")
    wait_for(lambda: started.get("/health")[0] == 200, seconds=120, what="its health")
    return started


def send(site: Site, path: str, kind: str) -> bytes:
    """What is answered to a body of that length, sent as fast as the server takes it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nConnection: close"
        f"\r\nAuthorization: {site.token}\r\nContent-Length: {LENGTH}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), 120) as connection:
        connection.sendall(head.encode())
        sent = 0
        try:
            while sent < LENGTH:
                sent += connection.send(PART[: LENGTH - sent])
        except (BrokenPipeError, ConnectionResetError):
            pass
        print(f"{path}: {sent >> 20:,} MB sent", flush=True)  # noqa: T201
        return read_all(connection)


@pytest.mark.parametrize(("path", "kind", "status"), REQUESTS)
def test_a_body_of_10_gb_is_refused_while_others_are_answered(
    site: Site, path: str, kind: str, status: int
) -> None:
    answers: list[bytes] = []
    sender = Thread(target=lambda: answers.append(send(site, path, kind)))
    sender.start()
    seconds = []
    while sender.is_alive():
        began = time.monotonic()
        assert site.get("/health")[0] == 200
        seconds.append(time.monotonic() - began)
        time.sleep(0.1)
    print(f"{len(seconds)} others, at most {max(seconds):.2f} s", flush=True)  # noqa: T201
    assert answers[0].startswith(b"HTTP/1.1 %d " % status)
    assert site.get("/records", Authorization=site.token)[1]["count"] == 0
