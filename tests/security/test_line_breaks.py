"""Line breaks in names add no line to the log or to what is exported of the audit log."""

import logging
import logging.config
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry

pytestmark = pytest.mark.django_db

FORGED = "a\r\n2026-01-01 00:00:00,000 INFO forged: line\u2028\x85\x0b\x0cb"


@pytest.fixture
def client(settings, tmp_path) -> Client:
    settings.INPUT_DIR = tmp_path / "inputs"
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="a long password"))
    return client


@pytest.fixture
def log(settings, caplog):
    """The log as it is written."""
    caplog.set_level(logging.INFO)
    configurator = logging.config.DictConfigurator(settings.LOGGING)
    formatter = configurator.configure_formatter(settings.LOGGING["formatters"]["line"])
    return lambda: [formatter.format(record) for record in caplog.records]


def name_everything(client: Client) -> None:
    """Give that name to whatever a person can name, whether it is taken or not."""
    file = SimpleUploadedFile("x.csv", b"id,value\n1,2\n")
    # Around Django's own tests, which would clean the name before it is sent.
    file._name = FORGED  # type: ignore[attr-defined]
    client.post("/upload/", {"file": file, "source": "shop"})
    client.post("/upload/", {"file": SimpleUploadedFile("x.csv", b"id\n1\n"), "source": FORGED})
    client.post("/explore/views/save?q=a", {"name": FORGED})
    client.post("/settings/people/", {"username": FORGED, "password": "a long password"})
    client.post("/settings/groups/", {"name": FORGED, "all_sources": "on"})
    client.post("/account/tokens/", {"name": FORGED, "scope": "read", "days": "30"})
    Client().post("/login/", {"username": FORGED, "password": "wrong"})
    client.get(f"/explore/?source={quote(FORGED)}")
    client.get(f"/no/such/page/{quote(FORGED)}")
    Client().get("/api/v1/stats", headers={"Authorization": f"Token {quote(FORGED)}"})
    # Past the pages, which refuse such a name.
    Group.objects.create(name=FORGED)


def test_a_name_of_many_lines_is_one_line_of_the_log(client, log):
    name_everything(client)
    lines = log()
    assert any("/no/such/page/" in line for line in lines)
    assert [line for line in lines if len(line.splitlines()) != 1] == []


def test_a_name_of_many_lines_is_one_entry_of_the_audit_log(client):
    name_everything(client)
    labels = list(AuditEntry.objects.values_list("object_label", "user_name"))
    assert any("forged" in part for pair in labels for part in pair)
    assert [part for pair in labels for part in pair if len(part.splitlines()) > 1] == []
    for kind in ("ndjson", "csv"):
        answer = client.get(f"/settings/audit/export?format={kind}")
        lines = b"".join(answer.streaming_content).strip().split(b"\n")
        # The export is an entry, too, and a table has a header.
        assert len(lines) == AuditEntry.objects.count() + (kind == "csv")
