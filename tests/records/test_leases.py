"""Leases of what is worked on in silence: nobody takes over a run whose worker is alive."""

import gzip
import io
import json
import random
import string
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest

from ingestion.loading import dry_runs, runs
from ingestion.parsing import compression, input_file
from ingestion.parsing.detection import encoding
from ingestion.parsing.readers import json_scanner, lines, ndjson
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import DryRun, IngestionRun, RunState
from tests.factories import WORKER

pytestmark = pytest.mark.django_db

ROWS = 10_000
# What is read at once is made small, so that a small file takes many steps.
STEP = 1 << 15


class SlowDisk:
    """Reading takes ten seconds a step, by a clock of its own; meanwhile others look for runs."""

    def __init__(self, settings):
        settings.LEASE_SECONDS, settings.BATCH_ROWS = 40, 1_000
        self.seconds = 0.0
        self.looked = 0.0
        self.start = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    def spend(self, count):
        self.seconds += 10 * (count or 0) / STEP
        # A thread that reads ahead waits for its batches to land, which renews the lease.
        in_silence = threading.current_thread() is threading.main_thread()
        if in_silence and self.seconds - self.looked > 1:
            self.looked = self.seconds
            for model in (IngestionRun, DryRun):
                held = model.objects.filter(state=RunState.RUNNING)
                assert not held.filter(lease_until__lt=self.now()).exists(), "its lease has lapsed"

    def open(self, path, mode="r", buffering=-1, **options):
        if mode != "rb":
            return io.open(path, mode, buffering, **options)  # noqa: UP020
        disk = self

        class Raw(io.FileIO):
            def readinto(self, buffer):
                count = super().readinto(buffer)
                disk.spend(count)
                return count

        return Raw(path) if buffering == 0 else io.BufferedReader(Raw(path))


@pytest.fixture
def disk(settings, monkeypatch):
    made = SlowDisk(settings)
    for module in (encoding, input_file, compression):
        monkeypatch.setattr(module, "CHUNK_BYTES", STEP)
    for module in (lines, json_scanner, ndjson):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", STEP)
    monkeypatch.setattr(leases, "now", made.now)
    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=made.monotonic))
    monkeypatch.setattr(Path, "open", lambda path, *args, **more: made.open(path, *args, **more))
    return made


def rows():
    chance = random.Random(3)  # noqa: S311
    for number in range(ROWS):
        yield str(number), "".join(chance.choices(string.ascii_letters, k=12))


def loaded(run):
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    work_on(run, WORKER)
    run.refresh_from_db()
    return run.state, run.error, run.read


def table(folder, name):
    """A file of many steps."""
    path = folder / name
    objects = [{"id": key, "word": word} for key, word in rows()]
    if name.endswith(".xlsx"):
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("rows")
        sheet.append(["id", "word"])
        for cells in rows():
            sheet.append(cells)
        book.save(path)
        return path
    text = {
        "csv": "id,word\n" + "".join(f"{key},{word}\n" for key, word in rows()),
        "json": json.dumps({"meta": objects, "data": {"rows": objects[:100]}}),
        "ndjson": "".join(json.dumps(each) + "\n" for each in objects),
    }[name.split(".")[1]]
    with gzip.open(path, "wt") if name.endswith(".gz") else path.open("w") as file:
        file.write(text)
    return path


@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.json", "rows.ndjson", "rows.xlsx", "rows.json.gz"]
)
def test_a_lease_is_kept_while_a_file_is_looked_through(tmp_path, disk, name):
    path = table(tmp_path, name)
    reading = {"rows_path": "data.rows"} if ".json" in name else {}
    run = runs.create_run(
        path=path, file_name=name, trigger="test", state=RunState.DRAFT, reading=reading
    )
    dry = dry_runs.start(run, on_conflict="update")
    disk.seconds = disk.looked = 0.0
    work_on(dry, WORKER)
    dry.refresh_from_db()
    assert (dry.state, dry.error) == (RunState.FINISHED, "")
    assert disk.seconds > 60
    landed = loaded(run)
    assert landed[:2] == (RunState.FINISHED, "")
    assert loaded(run) == landed
