"""Large workbooks are made by a worker, for the one person who asked for them."""

import io
import os
import stat
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from explore.export import jobs, request, walk, workbook
from records.jobs import leases
from records.jobs.runner import run_job, work_on
from records.jobs.sweep import wake_stalled
from records.jobs.workers import worker_name
from records.models import Export
from tests.factories import WORKER
from tests.installation import Installation, family, kill, wait_for
from tests.landed import land, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db

PAGE, API = "/explore/export?format=xlsx", "/api/export?format=xlsx"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.EXPORT_DIR = tmp_path / "exports"
    monkeypatch.setattr(request, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(walk, "CHUNK", 2)
    monkeypatch.setattr(jobs, "NOTE_SECONDS", 0)
    land("shop", {str(number): sale(number) for number in range(9)})
    return settings.EXPORT_DIR


def client_of(name: str) -> APIClient:
    client = APIClient()
    client.force_login(User.objects.filter(username=name).first() or viewer(name))
    return client


@pytest.fixture
def owner() -> APIClient:
    return client_of("owner")


def started(client: APIClient, query: str = "") -> Export:
    answer = client.post(PAGE + query)
    export = Export.objects.latest("pk")
    assert (answer.status_code, answer["Location"]) == (302, export.get_absolute_url())
    return export


def made(client: APIClient, query: str = "") -> Export:
    export = work_on(started(client, query), WORKER)
    assert export is not None
    assert export.state == "finished", export.error
    return export


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_the_page_of_an_export_leads_from_its_start_to_its_file(owner):
    export = started(owner, "&source=shop&sort=-id")
    assert OrmQ.objects.filter(key="processing").exists()
    page = text(owner.get(export.get_absolute_url()))
    assert "Waiting for a worker" in page
    assert "No worker is running" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Reload" in page
    run_job("export", export.pk)
    page = text(owner.get(export.get_absolute_url()))
    assert "hx-trigger" not in page
    assert "Download shop.xlsx" in page
    assert 'href="/explore/?source=shop&amp;sort=-id"' in page
    assert f"/exports/{export.pk}/" in text(owner.get("/exports/"))
    answer = owner.get(f"/exports/{export.pk}/file")
    assert answer["Content-Disposition"] == 'attachment; filename="shop.xlsx"'
    content = b"".join(answer)
    export.refresh_from_db()
    assert (export.total, export.done, export.size) == (9, 9, len(content))
    rows = openpyxl.load_workbook(io.BytesIO(content))["Records"].iter_rows(values_only=True)
    assert [row[0] for row in rows] == ["record_id", *(f"shop:{n}" for n in range(8, -1, -1))]


def test_the_api_answers_at_once_where_to_ask_for_a_large_workbook(owner):
    answer = owner.get(API)
    assert answer.status_code == 202
    url = answer["Location"].removeprefix("http://testserver")
    assert owner.get(url).json() == answer.json()
    assert (answer.json()["state"], answer.json()["download"]) == ("queued", None)
    assert owner.get(API).json()["id"] == answer.json()["id"], "Asked again, it is the same one."
    run_job("export", answer.json()["id"])
    export = owner.get(url).json()
    assert (export["state"], export["done"], export["total"], export["share"]) == (
        "finished", 9, 9, 1.0,
    )  # fmt: skip
    content = b"".join(owner.get(export["download"]))
    assert len(content) == export["size"]
    assert owner.delete(url).status_code == 204
    assert owner.get(url).status_code == owner.get(export["download"]).status_code == 404


@pytest.mark.parametrize(
    "ask", [lambda c: c.get(API), lambda c: c.post(PAGE), lambda c: c.get(PAGE)]
)
def test_a_small_workbook_is_made_at_once(owner, monkeypatch, ask):
    monkeypatch.setattr(request, "MOST_AT_ONCE", 9)
    answer = ask(owner)
    assert (answer.status_code, answer.streaming) == (200, True)
    assert b"".join(answer).startswith(b"PK")
    assert not Export.objects.exists()


def test_a_link_starts_nothing_that_a_worker_has_to_do(owner):
    assert "are created in the background" in text(owner.get(PAGE), 400)
    assert not Export.objects.exists()


def test_nobody_else_gets_to_see_an_export_or_its_file(owner, client):
    export = made(owner)
    User.objects.create_superuser("admin")
    for name in ("another", "admin"):
        other = client_of(name)
        for path in ("", "file"):
            assert other.get(f"/exports/{export.pk}/{path}").status_code == 404
        assert other.post(f"/exports/{export.pk}/cancel/").status_code == 404
        for path in (f"/api/exports/{export.pk}", f"/api/exports/{export.pk}/file"):
            assert other.get(path).status_code == 404
        assert other.delete(f"/api/exports/{export.pk}").status_code == 404
        assert f"/exports/{export.pk}/" not in text(other.get("/exports/"))
    assert client.get(f"/exports/{export.pk}/file").status_code == 302
    assert client.get(f"/api/exports/{export.pk}/file").status_code == 401
    User.objects.filter(username="owner").update(is_active=False)
    assert owner.get(f"/exports/{export.pk}/file").status_code == 302
    assert export.path.exists()


def test_files_are_private_to_the_user_of_the_server(owner, folder):
    export = made(owner)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(export.path.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [str(export.pk)]


def test_three_exports_of_a_person_may_wait_and_are_made_one_after_the_other(owner):
    first, second, _third = (
        started(owner, f"&sort={order}") for order in ("id", "-id", "timestamp")
    )
    answer = owner.get(f"{API}&sort=-timestamp")
    assert answer.status_code == 429
    assert "You already have 3 exports in progress" in answer.json()["detail"]
    assert text(owner.post(f"{PAGE}&sort=-timestamp"), 429)
    assert client_of("another").get(API).status_code == 202
    assert work_on(second, WORKER) is None
    assert leases.claim(Export, first.pk, WORKER) is not None
    assert work_on(second, "another worker") is None
    leases.finish(first, WORKER)
    done = work_on(second, WORKER)
    assert done is not None
    assert done.state == "finished"


def test_an_export_that_is_cancelled_while_it_is_made_leaves_nothing(owner, folder, monkeypatch):
    export = started(owner)
    assert "Cancel" in text(owner.get(export.get_absolute_url()))
    written = workbook._number_or_text

    def cancelling(cell: object) -> Any:
        owner.post(f"/exports/{export.pk}/cancel/")
        return written(cell)

    monkeypatch.setattr(workbook, "_number_or_text", cancelling)
    done = work_on(export, WORKER)
    assert done is not None
    assert done.state == "cancelled"
    assert "has been cancelled" in text(owner.get(export.get_absolute_url()))
    assert list(folder.glob("*")) == []
    assert owner.get(f"/exports/{export.pk}/file").status_code == 404


def test_what_excel_can_not_hold_is_said_on_the_page(owner, folder, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 5)
    export = started(owner)
    run_job("export", export.pk)
    page = text(owner.get(export.get_absolute_url()))
    assert "hold 4 records, and this export has 9. Export as CSV" in page
    assert owner.get(f"/api/exports/{export.pk}").json()["state"] == "failed"
    assert list(folder.glob("*")) == []


def test_an_export_whose_worker_is_gone_is_made_by_another(owner):
    export = started(owner)
    gone = next(pid for pid in range(400_000, 4_000_000) if not psutil.pid_exists(pid))
    machine = worker_name().split(":")[0]
    assert leases.claim(Export, export.pk, f"{machine}:{gone}:x") is not None
    assert work_on(export, WORKER) is None
    OrmQ.objects.all().delete()
    wake_stalled("processing")
    called = [call.task["args"] for call in OrmQ.objects.all()]
    assert called.count(("export", export.pk)) == 1
    done = work_on(export, WORKER)
    assert done is not None
    assert (done.state, done.attempts) == ("finished", 2)


def test_a_folder_that_can_not_be_written_is_said_on_the_page(owner, folder, settings):
    folder.write_text("a file where the folder is to be")
    settings.EXPORT_DIR = folder / "exports"
    export = started(owner)
    run_job("export", export.pk)
    assert "can&#x27;t be written: Not a directory." in text(owner.get(export.get_absolute_url()))
    jobs.tidy()


def test_what_has_expired_is_removed_with_its_file(owner, folder, settings):
    kept, expired = made(owner), made(owner, "&sort=-id")
    cancelled, failed = started(owner, "&sort=timestamp"), started(owner, "&sort=-timestamp")
    leases.stop(cancelled)
    past = timezone.now() - timedelta(seconds=settings.EXPORT_KEEP_SECONDS + 60)
    Export.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    Export.objects.filter(pk=failed.pk).update(state="failed", finished_at=past)
    for name in ("12345", f"{kept.pk}.aa.part", "note.txt"):
        (folder / name).write_text("")
    os.utime(folder / "note.txt", (past.timestamp(), past.timestamp()))
    assert "has expired" in text(owner.get(expired.get_absolute_url()))
    assert owner.get(f"/exports/{expired.pk}/file").status_code == 404
    jobs.tidy()
    assert set(Export.objects.values_list("pk", flat=True)) == {kept.pk, cancelled.pk}
    assert {path.name for path in folder.iterdir()} == {str(kept.pk), f"{kept.pk}.aa.part"}
    User.objects.get(username="owner").delete()
    jobs.tidy()
    assert not Export.objects.exists()
    assert not kept.path.exists()


def test_a_file_that_is_gone_is_said_to_be(owner):
    export = made(owner)
    export.path.unlink()
    assert "has no file or has expired" in text(owner.get(f"/exports/{export.pk}/file"), 404)


def test_records_of_one_moment_are_in_a_workbook(owner, monkeypatch):
    """What lands while it is written is not in it."""
    export = started(owner)
    written = workbook._number_or_text

    def landing(cell: object) -> Any:
        monkeypatch.setattr(workbook, "_number_or_text", written)
        land("shop", {"z": sale(99)})
        return written(cell)

    monkeypatch.setattr(workbook, "_number_or_text", landing)
    done = work_on(export, WORKER)
    assert done is not None
    assert (done.state, done.total) == ("finished", 9)


START = """
from django.contrib.auth.models import User
from django.http import QueryDict
from benchmarks.export import land
from explore.export import jobs
from explore.export.request import asked_for
land(0, {records})
user = User.objects.create_user("owner")
jobs.start(asked_for(QueryDict("format=xlsx")), user=user, trigger="test")
"""


@pytest.mark.cluster
def test_an_export_goes_on_after_kill_9_of_its_worker(own_installation: Installation):
    at = own_installation
    at.manage("shell", "-v0", "-c", START.format(records=20_000))
    at.start(sys.executable, "manage.py", "worker", "processing")

    def holder() -> list[psutil.Process]:
        rows = at.rows("SELECT worker FROM exports WHERE state = 'running' AND done > 0")
        pids = {int(name.split(":")[-2].partition(".")[0]) for (name,) in rows}
        return [each for each in family(at.processes[-1].pid) if each.pid in pids]

    kill(wait_for(holder, seconds=180, what=f"work on the export; {at.log}")[0])
    killed = time.monotonic()
    wait_for(
        lambda: at.rows("SELECT state FROM exports") == [("finished",)],
        seconds=300,
        what=f"the end after {time.monotonic() - killed:.0f} s; {at.log}",
    )
    assert at.rows("SELECT attempts, done, total FROM exports") == [(2, 20_000, 20_000)]
    (file,) = (at.folder / "exports").iterdir()
    book = openpyxl.load_workbook(io.BytesIO(file.read_bytes()), read_only=True)
    assert sum(1 for _ in book["Records"].iter_rows()) == 20_001
