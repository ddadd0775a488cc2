"""GET /health."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from explore.health import Migrations
from records.jobs.liveness import beat
from records.models import Heartbeat, ProcessingRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    monkeypatch.setattr(Migrations, "applied", False)


def all_alive() -> None:
    for queue in settings.QUEUES:
        beat(queue)


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_a_service_whose_parts_all_work_is_healthy(path):
    all_alive()
    response = Client().get(path)
    body = response.json()
    told = datetime.fromisoformat(body.pop("timestamp"))
    assert response.status_code == 200
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=30)
    assert body == {
        "service": "dataflow-api",
        "status": "healthy",
        "details": {
            "version": settings.VERSION,
            "database": "ok",
            "migrations": "ok",
            "disk": "ok",
            "ingestion_worker": "ok",
            "processing_worker": "ok",
        },
    }


@pytest.mark.parametrize("queue", settings.QUEUES)
def test_a_worker_without_a_sign_of_life_is_named(queue):
    all_alive()
    Heartbeat.objects.filter(queue=queue).update(seen_at=timezone.now() - timedelta(minutes=2))
    response = Client().get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert response.json()["details"]["failing"] == [f"{queue}_worker"]
    assert response.json()["details"][f"{queue}_worker"] == "not responding"


def test_a_worker_that_is_busy_with_a_run_is_alive():
    beat("ingestion")
    ProcessingRun.objects.create(
        trigger="worker", state="running", lease_until=timezone.now() + timedelta(seconds=20)
    )
    assert Client().get("/health").status_code == 200


def test_migrations_that_have_not_been_applied_are_named():
    all_alive()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    response = Client().get("/health")
    assert response.status_code == 503
    assert response.json()["details"]["failing"][0] == "migrations"
    assert response.json()["details"]["migrations"] == "pending"


def test_migrations_are_looked_up_once(django_assert_max_num_queries):
    all_alive()
    Client().get("/health")
    # The database itself, what runs wait for, and the heartbeat of each queue; the time is asked of
    # PostgreSQL.
    looks = 2 if connection.vendor == "postgresql" else 1
    with django_assert_max_num_queries(2 + looks * len(settings.QUEUES)):
        assert Client().get("/health").status_code == 200


def test_a_database_that_does_not_answer_is_named_without_telling_secrets(monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("could not connect to db.internal as dataflow, password hunter2")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = Client().get("/health", headers={"accept": "text/html"})
    assert response.status_code == 503
    assert response.json()["details"]["database"] == "not responding"
    assert "database" in response.json()["details"]["failing"]
    for secret in (b"db.internal", b"dataflow,", b"hunter2"):
        assert secret not in response.content


def test_health_is_the_same_for_all_whatever_credentials_they_send():
    all_alive()
    client = Client(headers={"authorization": "Token wrong", "cookie": "sessionid=wrong"})
    assert client.get("/health").status_code == 200
    assert client.head("/health").status_code == 200
    assert client.post("/health").status_code == 405
