"""Receipts: signed, chained, made once, and verified by who has only the file and the key."""

import base64
import hashlib
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from ingestion.loading import replay, runs
from ingestion.loading.undo import create_undo
from ingestion.receipts import documents
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import IngestionRun, Receipt, RejectedRow
from tests.factories import WORKER, load
from tests.people import viewer

pytestmark = pytest.mark.django_db
CSV = "id,name\n1,Ada\n,Bob\n3,Cy,x\n"
GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "verify-a-receipt.md"
# The program for those who have Python and `cryptography` alone.
OUTSIDE = GUIDE.read_text().split("```python\n")[1].split("```")[0]


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    return path


@pytest.fixture
def run(file) -> IngestionRun:
    return load(file, "people", id=["id"])


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(viewer("reader"))
    return client


@pytest.fixture
def key(api, tmp_path) -> Path:
    answer = api.get("/api/receipt-key")
    assert answer["Content-Type"] == "application/x-pem-file"
    path = tmp_path / "key.pem"
    path.write_bytes(answer.content)
    return path


def fetched(api: APIClient, path: str, folder: Path) -> Path:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    found = folder / f"receipt-{path.strip('/').replace('/', '-')}.json"
    found.write_bytes(answer.content)
    return found


def verified(receipt: Path, **options: Any) -> str:
    out = StringIO()
    call_command("verify_receipt", receipt, stdout=out, **options)
    return out.getvalue()


def outside(*arguments: Path) -> int:
    done = subprocess.run([sys.executable, "-c", OUTSIDE, *arguments], check=False)
    return done.returncode


def content(api: APIClient, path: str) -> Any:
    return api.get(path).json()["content"]


def test_a_receipt_says_what_a_run_has_made_of_its_input(api, run):
    said = content(api, f"/api/runs/{run.pk}/receipt")
    assert said["source"] == "people"
    assert (said["kind"], said["state"], said["number"]) == ("load", "finished", 1)
    assert said["previous"] is None
    assert said["input"] == {
        "name": "people.csv", "size": len(CSV), "sha256": hashlib.sha256(CSV.encode()).hexdigest(),
    }  # fmt: skip
    assert said["ledger"] == {
        "read": 3, "created": 1, "updated": 0, "unchanged": 0, "rejected": 2,
    }  # fmt: skip
    rows = said["rejected"]["rows"]
    assert [(row["line"], row["code"]) for row in rows] == [
        (3, "missing_key"), (4, "too_many_cells"),
    ]  # fmt: skip
    assert rows[1]["sha256"] == hashlib.sha256(b"3,Cy,x\n").hexdigest()
    assert said["mapping"]["id"] == ["id"]
    assert said["times"]["finished"] > said["times"]["created"]


def test_a_receipt_is_verified_from_outside(api, run, file, key, tmp_path):
    receipt = fetched(api, f"/api/runs/{run.pk}/receipt", tmp_path)
    assert "The receipt is valid: number 1 of people" in verified(receipt, key=key, file=file)
    assert outside(receipt, key, file) == 0


def test_a_receipt_is_verified_by_openssl(api, run, key, tmp_path):
    document = json.loads(fetched(api, f"/api/runs/{run.pk}/receipt", tmp_path).read_text())
    (tmp_path / "signed").write_bytes(documents.canonical(document["content"]))
    (tmp_path / "signature").write_bytes(base64.b64decode(document["signature"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin",
               "-in", tmp_path / "signed", "-sigfile", tmp_path / "signature"]  # fmt: skip
    try:
        done = subprocess.run(command, check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl was not found.")
    assert done.returncode == 0, done.stderr


def test_one_changed_byte_of_the_receipt_is_noticed(api, run, file, key, tmp_path):
    receipt = fetched(api, f"/api/runs/{run.pk}/receipt", tmp_path)
    text = receipt.read_text()
    for old, new in (('"rejected":2', '"rejected":1'), ('"line":3', '"line":2'), ("Ada", "Adb")):
        if old in text:
            receipt.write_text(text.replace(old, new))
            with pytest.raises(CommandError, match="signature is not valid"):
                verified(receipt, key=key)
            assert outside(receipt, key, file) != 0
    signature = json.loads(text)["signature"]
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    receipt.write_text(text.replace(signature, changed))
    with pytest.raises(CommandError, match="signature is not valid"):
        verified(receipt, key=key)
    document = json.loads(text)
    receipt.write_text(json.dumps({**document, "digest": "0" * 64}))
    with pytest.raises(CommandError, match="digest is not that"):
        verified(receipt, key=key)


def test_one_changed_byte_of_the_file_is_noticed(api, run, file, key, tmp_path):
    receipt = fetched(api, f"/api/runs/{run.pk}/receipt", tmp_path)
    file.write_text(CSV.replace("Ada", "Adb"))
    with pytest.raises(CommandError, match="not the one that the receipt is about"):
        verified(receipt, key=key, file=file)
    assert outside(receipt, key, file) != 0


def test_receipts_of_a_source_are_chained(api, run, file, key, tmp_path):
    file.write_text("id,name\n5,Eve\n")
    second = load(file, "people")
    file.write_text("id,name\n6,Flo\n")
    third = load(file, "people")
    other = tmp_path / "things.csv"
    other.write_text("id\n1\n")
    assert content(api, f"/api/runs/{load(other).pk}/receipt")["number"] == 1
    first, middle, last = (
        fetched(api, f"/api/runs/{each.pk}/receipt", tmp_path) for each in (run, second, third)
    )
    assert "number 2" in verified(middle, key=key, previous=first)
    assert "number 3" in verified(last, key=key, previous=middle)
    with pytest.raises(CommandError, match="does not follow"):
        verified(last, key=key, previous=first)
    listed = api.get("/api/sources/people/receipts").json()["receipts"]
    assert [each["content"]["number"] for each in listed] == [1, 2, 3]
    assert [each["content"]["previous"] for each in listed[1:]] == [
        each["digest"] for each in listed[:2]
    ]


def test_replays_and_undos_have_receipts_of_their_own(api, run, key, tmp_path):
    before = api.get(f"/api/runs/{run.pk}/receipt").content
    RejectedRow.objects.filter(line=3).update(fixed="2,Bob")
    made = work_on(replay.create_replay(run=run, trigger="test"), WORKER)
    assert made is not None
    work_on(create_undo(run=run, trigger="test"), WORKER)
    of_replay = content(api, f"/api/runs/{made.pk}/receipt")
    assert (of_replay["kind"], of_replay["replay_of"], of_replay["number"]) == (
        "replay", run.pk, 2,
    )  # fmt: skip
    assert of_replay["input"] is None
    assert (of_replay["ledger"]["created"], of_replay["rejected"]["count"]) == (1, 1)
    of_undo = content(api, f"/api/runs/{run.pk}/undo/receipt")
    assert (of_undo["kind"], of_undo["number"]) == ("undo", 3)
    assert of_undo["undoes"] == json.loads(before)["digest"]
    assert of_undo["records"] == {"deleted": 1, "restored": 0, "kept": 0}
    # The run's own receipt says what was so when it ended.
    assert api.get(f"/api/runs/{run.pk}/receipt").content == before
    receipt = fetched(api, f"/api/runs/{run.pk}/undo/receipt", tmp_path)
    assert "the undo of run" in verified(receipt, key=key)


def test_failed_and_cancelled_runs_have_receipts_as_well(api, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("id,at\n1,03/04/2026\n")
    failed = load(path, "bad", timestamp=["at"])
    said = content(api, f"/api/runs/{failed.pk}/receipt")
    assert said["state"] == "failed"
    assert "ambiguous" in said["error"]
    waiting = runs.create_run(path=path, file_name="bad.csv", trigger="test")
    assert api.get(f"/api/runs/{waiting.pk}/receipt").status_code == 404
    assert leases.stop(waiting)
    assert content(api, f"/api/runs/{waiting.pk}/receipt")["state"] == "cancelled"
    assert not leases.stop(waiting)
    assert Receipt.objects.count() == 2


def test_a_receipt_of_another_key_is_refused(api, run, tmp_path):
    receipt = fetched(api, f"/api/runs/{run.pk}/receipt", tmp_path)
    other = tmp_path / "other.pem"
    other.write_text(documents.public_pem(documents.private_key(documents.new_private_key())))
    with pytest.raises(CommandError, match="signed with another key"):
        verified(receipt, key=other)
    other.write_text("no key")
    with pytest.raises(CommandError, match="not a public key"):
        verified(receipt, key=other)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"content": {}}', "[" * 100_000, "\0", "{"])
def test_what_is_no_receipt_is_refused(key, tmp_path, text):
    (tmp_path / "receipt").write_text(text)
    with pytest.raises(CommandError, match="not a receipt"):
        verified(tmp_path / "receipt", key=key)


def test_the_key_may_come_by_the_environment(settings, file, api):
    pem = documents.new_private_key()
    settings.RECEIPT_KEY = "0f" * 32
    assert load(file, "people").state == "finished"
    settings.RECEIPT_KEY = pem.replace("\n", "\\n")
    assert load(file, "people").state == "finished"
    assert api.get("/api/receipt-key").content.decode() == documents.public_pem(
        documents.private_key(pem)
    )
    settings.RECEIPT_KEY = "no key"
    with pytest.raises(ImproperlyConfigured, match="DATAFLOW_RECEIPT_KEY is not"):
        api.get("/api/receipt-key")


def test_the_key_is_kept_where_only_its_owner_reads_it(settings, tmp_path, api):
    settings.RECEIPT_KEY_FILE = tmp_path / "var" / "receipt_key"
    first = api.get("/api/receipt-key").content
    assert settings.RECEIPT_KEY_FILE.stat().st_mode & 0o777 == 0o600
    assert api.get("/api/receipt-key").content == first


def test_the_page_of_a_run_leads_to_its_receipt(admin_client, run):
    page = admin_client.get(f"/runs/ingestion/{run.pk}/").content.decode()
    assert f"/api/v1/runs/ingestion/{run.pk}/receipt?format=json" in page
    assert (
        admin_client.get(f"/api/v1/runs/ingestion/{run.pk}/receipt?format=json").status_code == 200
    )


def test_what_does_not_exist_is_not_found(api, run):
    for path in ("/runs/99999/receipt", f"/runs/{run.pk}/undo/receipt", "/sources/odd/receipts"):
        assert api.get(f"/api{path}").status_code == 404
    for path in (f"/runs/{run.pk}/receipt", "/sources/people/receipts", "/receipt-key"):
        assert APIClient().get(f"/api{path}").status_code == 401
