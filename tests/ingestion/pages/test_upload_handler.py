"""Uploads on their way in, as a web server hands them on: watched in the folder they go to."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from records.models import IngestionRun
from tests.installation import comes_true, open_files_in
from tests.people import viewer

pytestmark = pytest.mark.django_db(transaction=True)

PART = b"id,value\n" + b"1,2\n" * 250_000
TOKEN = "a" * 32


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    """Where uploads are written while they come in."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    settings.INPUT_DIR = tmp_path / "inputs"
    return settings.FILE_UPLOAD_TEMP_DIR


Post = Callable[..., tuple[str, bool]]


@pytest.fixture
def post(live_server, folder) -> Post:
    """Sends a file in two parts; the answer, and whether anything was stored in between, for
    which it waits so many seconds."""

    def post(
        path: str, user: User | None = None, token: str = TOKEN, seconds: float = 0.5
    ) -> tuple[str, bool]:
        cookies = f"csrftoken={TOKEN}"
        if user is not None:
            client = Client()
            client.force_login(user)
            cookies += f"; sessionid={client.cookies['sessionid'].value}"
        start = (
            f'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
        ).encode()
        end = b"\r\n--x--\r\n"
        length = len(start) + 2 * len(PART) + len(end)
        address = urlsplit(live_server.url)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookies}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n"
            "Connection: close\r\n\r\n"
        )
        with socket.create_connection((address.hostname, address.port), 10) as connection:
            connection.sendall(head.encode() + start + PART)
            stored = comes_true(lambda: open_files_in(folder), seconds=seconds)
            connection.sendall(PART + end)
            answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        return answer.decode(), stored

    return post


@pytest.fixture
def sender() -> User:
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    return user


@pytest.mark.parametrize("path", ["/upload/", "/login/", "/process/start/", "/process", "/nowhere"])
@pytest.mark.parametrize("token", [TOKEN, "none"])
def test_nothing_that_an_unknown_sender_sends_is_stored(post, folder, path, token):
    answer, stored = post(path, token=token)
    assert answer.startswith(("HTTP/1.1 302", "HTTP/1.1 40", "HTTP/1.1 200"))
    assert not stored
    assert comes_true(lambda: not open_files_in(folder), seconds=30)


def test_nothing_of_a_user_who_may_not_upload_is_stored(post, folder):
    answer, stored = post("/upload/", viewer("reader"))
    assert answer.startswith("HTTP/1.1 403")
    assert "Ask an administrator" in answer
    assert not stored


def test_nothing_is_stored_on_other_pages(post, sender):
    assert post("/login/", sender)[1] is False


def test_a_file_of_a_user_who_may_upload_is_stored_and_then_kept(post, sender, folder):
    answer, stored = post("/upload/", sender, seconds=30)
    assert answer.startswith("HTTP/1.1 302")
    assert stored
    assert IngestionRun.objects.get().file_name == "big.csv"
    assert comes_true(lambda: not open_files_in(folder), seconds=30)


def test_a_file_over_the_limit_is_refused_by_the_form_and_never_stored(
    post, sender, settings, folder
):
    settings.MAX_UPLOAD_BYTES = 1_000_000
    answer, stored = post("/upload/", sender)
    assert answer.startswith("HTTP/1.1 400")
    assert "big.csv has 2.0 MB; the limit is 1.0 MB." in answer
    assert not stored
    assert comes_true(lambda: not open_files_in(folder), seconds=30)
    assert not IngestionRun.objects.exists()
