"""A full disk is said by a sentence, and nothing is left of what found no room."""

import gzip
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from records.models import IngestionRun
from tests.installation import Installation, copied, wait_for
from tests.landed import land, sale
from tests.site import Site, Visitor
from tests.wire import HOST, how_often, read_all, talk

LARGE = b"id,text\n" + b"".join(
    b"%d,%s\n" % (number, os.urandom(5_000).hex().encode()) for number in range(800)
)


def used(disk: Path) -> int:
    facts = os.statvfs(disk)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def page(client: Client, content: bytes = LARGE, name: str = "large.csv") -> tuple[int, str]:
    answer = client.post("/upload/", {"file": SimpleUploadedFile(name, content), "source": "s"})
    return answer.status_code, answer.content.decode()


def api_form(user: object) -> tuple[int, str]:
    client = APIClient()
    client.force_login(user)  # type: ignore[arg-type]
    answer = client.post("/ingest", {"file": SimpleUploadedFile("large.csv", LARGE), "source": "s"})
    return answer.status_code, answer.json()["detail"]


def api_body(user: object) -> tuple[int, str]:
    client = APIClient()
    client.force_login(user)  # type: ignore[arg-type]
    answer = client.post("/ingest?source=s", LARGE, content_type="text/csv")
    return answer.status_code, answer.json()["detail"]


@pytest.mark.django_db
def test_the_page_and_the_api_say_that_there_is_no_room_for_what_comes_in(
    admin_client, admin_user, settings, tmp_path, small_disk
):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.FILE_UPLOAD_TEMP_DIR = small_disk
    for status, said in (page(admin_client), api_form(admin_user)):
        assert status == 507
        assert "No space left on device" in said
        assert "free some disk space and try again" in said
    assert used(small_disk) == 0
    assert not IngestionRun.objects.exists()


@pytest.mark.django_db
def test_the_page_and_the_api_say_that_there_is_no_room_for_what_is_to_be_kept(
    admin_client, admin_user, settings, small_disk
):
    settings.INPUT_DIR = small_disk / "inputs"
    for status, said in (page(admin_client), api_form(admin_user), api_body(admin_user)):
        assert status == 507
        assert "No space left on device" in said
    assert not list(settings.INPUT_DIR.rglob("*"))
    assert not IngestionRun.objects.exists()


@pytest.mark.django_db
def test_a_preview_says_that_there_is_no_room_to_unpack_its_file(
    admin_client, settings, tmp_path, small_disk, monkeypatch
):
    settings.INPUT_DIR = tmp_path / "inputs"
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    status, _ = page(admin_client, gzip.compress(LARGE), "large.csv.gz")
    assert status == 302
    answer = admin_client.get(IngestionRun.objects.get().get_absolute_url())
    assert answer.status_code == 507
    assert (
        "large.csv.gz can&#x27;t be read: there is not enough disk space" in answer.content.decode()
    )
    assert used(small_disk) == 0


@pytest.mark.django_db
def test_a_workbook_for_which_there_is_no_room_is_refused_by_a_sentence(
    admin_client, admin_user, small_disk, monkeypatch
):
    rows = {str(number): sale(number) | {"text": os.urandom(10_000).hex()} for number in range(400)}
    land("shop", rows)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    client = APIClient()
    client.force_login(admin_user)
    answer = client.get("/export?format=xlsx")
    assert answer.status_code == 507
    assert "The server has no disk space left" in answer.json()["detail"]
    assert used(small_disk) == 0
    answer = admin_client.get("/explore/export?format=xlsx")
    assert answer.status_code == 507
    assert "The server has no disk space left" in answer.content.decode()
    assert used(small_disk) == 0


@pytest.fixture
def site(prepared_installation: Installation, tmp_path: Path, small_disk: Path) -> Iterator[Site]:
    """A site whose temporary folder is small."""
    with copied(prepared_installation, tmp_path / "var") as made:
        made.environment["DATAFLOW_TEMP"] = str(small_disk / "tmp")
        yield Site(made, "--no-samples")


def ask(site: Site, body: bytes, *headers: str) -> bytes:
    head = ["POST /ingest?source=s HTTP/1.1", "Host: localhost", f"Authorization: {site.token}"]
    head += ["Content-Type: text/csv", "Connection: close", *headers]
    return talk(site.port, "\r\n".join([*head, "", ""]).encode() + body)


@pytest.mark.cluster
@pytest.mark.any_database
def test_the_web_server_says_that_there_is_no_room_for_a_body(
    site: Site, small_disk: Path, tmp_path: Path
) -> None:
    before = used(small_disk)
    length = f"Content-Length: {len(LARGE)}"
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(LARGE), LARGE)
    for answer in (ask(site, LARGE, length), ask(site, chunk, "Transfer-Encoding: chunked")):
        assert answer.startswith(b"HTTP/1.1 507")
        assert b'"detail":' in answer
        assert b"The server has no disk space left" in answer
    file = tmp_path / "large.csv"
    file.write_bytes(LARGE)
    with pytest.raises(OSError, match="507"):
        Visitor(site).send(file, "s")
    assert used(small_disk) <= before + (1 << 16)
    assert not list((site.installation.folder / "inputs").rglob("*"))
    assert site.get("/health")[0] == 200
    assert "Traceback" not in site.output


@pytest.mark.cluster
def test_an_answer_for_which_there_is_no_room_is_stopped_and_the_others_go_on(
    site: Site, small_disk: Path, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(LARGE * 4)
    site.installation.manage("ingest", str(file), "--source", "large", DATAFLOW_TEMP=str(tmp_path))
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        reader.settimeout(60)
        reader.connect(("127.0.0.1", site.port))
        reader.sendall(
            b"GET /export?format=csv HTTP/1.1\r\n"
            + HOST
            + f"Authorization: {site.token}\r\n\r\n".encode()
        )
        wait_for(lambda: "Stopped an answer" in site.output, seconds=60, what="a line in the log")
        assert how_often(lambda: site.get("/health")[0] == 200) == 20
        assert not read_all(reader).endswith(b"0\r\n\r\n")
    assert "Traceback" not in site.output
