"""The page Operations: how the installation stands, for administrators."""

from collections import namedtuple
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from operations import overview
from operations.models import Backup
from records.jobs.liveness import beat
from records.models import IngestionRun, Source
from tests.landed import land, sale
from tests.people import of_role

pytestmark = pytest.mark.django_db

URL = "/settings/operations/"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(of_role("Admin", "ada"))
    return client


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**12, 10**11, 9 * 10**11))


def text(client: Client) -> str:
    answer = client.get(URL)
    assert answer.status_code == 200
    return str(answer.content.decode())


def backed_up(**fields: Any) -> Backup:
    moment = timezone.now()
    given = {"file": "/backups/a.backup", "bytes": 5_000_000, "started_at": moment,
             "finished_at": moment, "id": uuid4(), **fields}  # fmt: skip
    return Backup.objects.create(**given)


def test_where_everything_works_nothing_is_to_do(admin: Client) -> None:
    for queue in site.QUEUES:
        beat(queue)
    backed_up(verified_at=timezone.now())
    page = text(admin)
    assert "Everything works." in page
    assert "/backups/a.backup" in page
    assert "5.0 MB" in page
    assert "900.0 GB of 1.0 TB free" in page
    assert site.VERSION in page
    assert "No runs are in progress." in page


def test_what_is_wrong_is_told_with_what_to_do(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "LITTLE_BYTES", 10**13)
    beat("processing")
    old = timezone.now() - timedelta(days=3)
    backed_up(started_at=old, finished_at=old, verified_at=old, verify_error="It is damaged.")
    backed_up(error="No space left on device.")
    page = text(admin)
    assert "Everything works." not in page
    for said in (
        "The queue ingestion has no worker.",
        "Start one with manage.py worker ingestion",
        "The disk is almost full",
        "The last backup failed. No space left on device.",
        "The newest backup is older than two days.",
        "The newest backup can&#x27;t be restored. It is damaged.",
    ):
        assert said in page
    assert "The queue processing has no worker." not in page


def test_runs_in_progress_are_listed_with_the_machine_that_has_them(admin: Client) -> None:
    land("shop", {"1": sale(1)})
    run = IngestionRun.objects.create(
        source=Source.objects.get(name="shop"),
        file_name="huge.csv",
        trigger="test",
        state="running",
        worker="host-7/0abc:12.34:beef",
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    page = text(admin)
    assert "huge.csv" in page
    assert run.get_absolute_url() in page
    assert "Held by host-7" in page
    assert "There is no backup." in page


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Operator"])
def test_others_do_not_see_it(role: str) -> None:
    client = Client()
    client.force_login(of_role(role, "otto"))
    assert client.get(URL).status_code == 403
    assert URL not in client.get("/").content.decode()


def test_the_menu_leads_there(admin: Client) -> None:
    assert URL in admin.get("/").content.decode()


def test_it_takes_few_queries(admin: Client, django_assert_max_num_queries: Any) -> None:
    land("shop", {"1": sale(1)})
    with django_assert_max_num_queries(60):
        text(admin)
