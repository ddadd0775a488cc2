"""What strangers try at the API: foreign lookups, names of files, paths of the server, errors."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from records.models import IngestionRun

pytestmark = pytest.mark.django_db

LISTS = ["/api/records", "/api/runs"]
LOOKUPS = [
    "ordering=password", "ordering=run__user__password", "user__password=p", "password=p",
    "user__password__startswith=p", "id__regex=.*", "source__name__regex=(a%2B)%2B", "run__user=1",
    "ordering=id;DROP TABLE data_records",
]  # fmt: skip
NAMES = ["../../x.csv", "/etc/cron.d/x.csv", "..\\..\\x.csv", "a\0b.csv", "x" * 300 + ".csv"]
SERVER_PATHS = ["/etc/passwd", "file:///etc/passwd", "../manage.py"]


@pytest.fixture
def client() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("path", LISTS)
def test_foreign_lookups_are_refused(client, path, lookup):
    answer = client.get(f"{path}?{lookup}")
    assert answer.status_code == 400
    assert lookup.partition("=")[0] in answer.json()["errors"]


@pytest.mark.parametrize("name", NAMES)
def test_files_are_stored_under_names_of_our_own(client, name):
    file = SimpleUploadedFile("x.csv", b"id,value\n1,2\n")
    # Around Django's own tests, which would clean the name before it is sent.
    file._name = name  # type: ignore[attr-defined]
    answer = client.post("/api/ingest", {"file": file, "source": "shop"}, format="multipart")
    assert answer.status_code in (202, 400)
    if answer.status_code == 202:
        run = IngestionRun.objects.get()
        assert Path(run.path).resolve().is_relative_to(settings.INPUT_DIR.resolve())
        assert len(Path(run.path).name) < 100


@pytest.mark.parametrize("path", SERVER_PATHS)
@pytest.mark.parametrize("field", ["path", "file", "url"])
def test_paths_of_the_server_are_not_read(client, field, path):
    form = client.post("/api/ingest", {field: path, "source": "shop"}, format="multipart")
    query = client.post(f"/api/ingest?source=shop&{field}={path}", "", content_type="text/csv")
    assert (form.status_code, query.status_code) == (400, 400)
    assert not IngestionRun.objects.exists()


@pytest.mark.parametrize("path", ["/api/stats", "/"])
def test_an_error_of_the_server_shows_nothing_of_it(monkeypatch, path):
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the secret of the server")

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", fail)
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == 500
    assert not any(word in answer.content for word in (b"Traceback", b"secret", b"RuntimeError"))
