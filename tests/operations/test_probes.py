"""/health/live and /health/ready."""

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from explore.health import Migrations


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.INPUT_DIR = tmp_path / "inputs"
    monkeypatch.setattr(Migrations, "applied", False)


def test_a_process_is_live_without_a_database() -> None:
    # pytest-django lets this test reach no table.
    answer = Client().get("/health/live")
    assert (answer.status_code, answer.json()["status"]) == (200, "live")


@pytest.mark.django_db
def test_it_is_ready_when_everything_is_there() -> None:
    answer = Client().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready", "database": "ok", "migrations": "ok", "storage": "ok",
    }  # fmt: skip


@pytest.mark.django_db
def test_pending_migrations_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operations'")
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "pending"


@pytest.mark.django_db
def test_a_folder_that_can_not_be_written_to_is_named(settings: Any, tmp_path: Path) -> None:
    settings.INPUT_DIR = tmp_path / "file"
    settings.INPUT_DIR.write_text("no folder")
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["storage"]) == (503, "not writable")


def test_a_database_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", away)
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "not responding")
