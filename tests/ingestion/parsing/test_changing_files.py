"""Files that others write to while they are read: what is digested is what is read."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from ingestion.errors import ChangedWhileRead
from ingestion.loading import dry_runs, load_file, run_input, runs
from ingestion.parsing import input_file
from ingestion.parsing.readers import json_scanner, lines, ndjson
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RejectedRow, RunState
from tests.factories import WORKER
from tests.installation import ROOT, Installation

ROWS = 2_000
STEP = 4_096


@pytest.fixture
def in_steps(monkeypatch, settings):
    """What is read at once is made small, so that a small file takes many steps."""
    settings.BATCH_ROWS = 50
    monkeypatch.setattr(input_file, "CHUNK_BYTES", STEP)
    for module in (lines, json_scanner, ndjson):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", STEP)


def objects(first=0):
    return [{"id": f"r{number:05}", "word": f"w{number}"} for number in range(first, first + ROWS)]


def content(kind: str) -> bytes:
    rows = objects()
    text = {
        "csv": "id,word\n" + "".join(f"{row['id']},{row['word']}\n" for row in rows),
        "json": json.dumps(rows),
        "ndjson": "".join(json.dumps(row) + "\n" for row in rows),
    }
    if kind == "xlsx":
        book, out = openpyxl.Workbook(write_only=True), io.BytesIO()
        sheet = book.create_sheet("rows")
        sheet.append(["id", "word"])
        for row in rows:
            sheet.append(list(row.values()))
        book.save(out)
        return out.getvalue()
    if kind == "csv.gz":
        return gzip.compress(text["csv"].encode(), mtime=0)
    if kind == "csv.zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(zipfile.ZipInfo("rows.csv"), text["csv"])
        return out.getvalue()
    return text[kind].encode()


def more(kind: str) -> bytes:
    return b'{"id": "x", "word": "y"}\n' if kind == "ndjson" else b"x,y\n"


def loaded(path: Path, change, **wanted: Any) -> IngestionRun:
    """The run of a file that is changed, once, after the first batch has landed."""
    run = runs.create_run(path=path, file_name=path.name, trigger="test", source_name="s", **wanted)
    changes = [change]

    def on_progress(_: IngestionRun) -> None:
        if changes:
            changes.pop()(path)

    done = work_on(run, WORKER, on_progress)
    assert done is not None
    return done


def is_of(run: IngestionRun, data: bytes) -> bool:
    return (run.size, run.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def append(data: bytes):
    def change(path: Path) -> None:
        with path.open("ab") as file:
            file.write(data)

    return change


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "ndjson", "json", "csv.gz", "csv.zip", "xlsx"])
def test_a_file_that_grows_is_loaded_to_where_it_was_digested(tmp_path, in_steps, kind):
    path = tmp_path / f"rows.{kind}"
    before = content(kind)
    path.write_bytes(before)
    # A document and an archive end before what follows; it is not theirs.
    run = loaded(path, append(more(kind) * 1_000))
    assert (run.state, run.error) == (RunState.FINISHED, "")
    assert (run.read, run.rejected) == (ROWS, 0)
    assert is_of(run, before)
    if kind in ("csv", "ndjson", "json"):
        added = len(more(kind)) * 1_000
        assert f"{added:,} bytes were added after the {run.size:,} bytes that were read" in str(
            run.notes
        )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_row_that_is_written_in_two_halves_is_rejected_and_comes_with_the_next_loading(
    tmp_path, in_steps, kind
):
    path = tmp_path / f"rows.{kind}"
    whole = content(kind)
    path.write_bytes(whole[:-4])
    run = loaded(path, append(whole[-4:] + more(kind)))
    assert (run.state, run.read, run.rejected) == (RunState.FINISHED, ROWS, 1)
    assert is_of(run, whole[:-4])
    reject = RejectedRow.objects.get()
    assert (reject.code, bytes(reject.raw)) == ("row_cut_off", whole.splitlines()[-1][:-3])
    assert DataRecord.objects.count() == ROWS - 1
    again = loaded(path, lambda path: None)
    assert (again.read, again.created, again.unchanged) == (ROWS + 1, 2, ROWS - 1)


@pytest.mark.django_db
def test_a_last_row_without_an_end_of_line_is_whole_where_that_is_what_comes_next(
    tmp_path, in_steps
):
    path = tmp_path / "rows.csv"
    path.write_bytes(content("csv")[:-1])
    run = loaded(path, append(b"\n" + more("csv")))
    assert (run.read, run.created, run.rejected) == (ROWS, ROWS, 0)


def rewrite(path: Path) -> None:
    """Other bytes in the same file, as many as before."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + data[len(data) // 2 :].replace(b"w1", b"w2"))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("change", [rewrite, truncate, empty])
@pytest.mark.parametrize("kind", ["csv", "ndjson", "json"])
def test_a_run_whose_file_is_changed_while_it_is_read_fails_and_says_so(
    tmp_path, in_steps, kind, change
):
    path = tmp_path / f"rows.{kind}"
    path.write_bytes(content(kind))
    run = loaded(path, change)
    assert run.state == RunState.FAILED
    assert run.error.startswith(f"rows.{kind} was changed while it was read.")
    assert run.read == run.created + run.updated + run.unchanged + run.rejected > 0
    assert DataRecord.objects.count() == run.created, "imported rows are kept"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv.gz", "csv.zip", "xlsx", "csv", "ndjson"])
def test_a_file_that_is_replaced_is_read_to_the_end_of_the_one_that_was_digested(
    tmp_path, in_steps, kind
):
    path = tmp_path / f"rows.{kind}"
    before = content(kind)
    path.write_bytes(before)

    def replace(path: Path) -> None:
        path.with_suffix(".new").write_bytes(b"other,things\n1,2\n")
        path.with_suffix(".new").replace(path)

    run = loaded(path, replace)
    assert (run.state, run.read, run.created) == (RunState.FINISHED, ROWS, ROWS)
    assert is_of(run, before)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv.gz", "csv.zip", "xlsx", "csv", "ndjson", "json"])
def test_a_file_that_is_another_one_once_it_has_been_looked_at_fails_before_a_row_lands(
    tmp_path, monkeypatch, kind
):
    path = tmp_path / f"rows.{kind}"
    path.write_bytes(content(kind))
    run = runs.create_run(path=path, file_name=path.name, trigger="test", source_name="s")
    opened = run_input.open_input

    def change_first(*args: Any) -> Any:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        return opened(*args)

    monkeypatch.setattr(load_file, "open_input", change_first)
    done = work_on(run, WORKER)
    assert done is not None
    assert done.state == RunState.FAILED
    assert done.error.startswith(f"rows.{kind} was changed while it was read.")


@pytest.mark.django_db
def test_a_file_that_is_taken_away_once_it_has_been_looked_at_fails_by_a_sentence(
    tmp_path, monkeypatch
):
    path = tmp_path / "rows.csv"
    path.write_bytes(content("csv"))
    run = runs.create_run(path=path, file_name=path.name, trigger="test", source_name="s")
    opened = run_input.open_input

    def remove_first(*args: Any) -> Any:
        path.unlink()
        return opened(*args)

    monkeypatch.setattr(load_file, "open_input", remove_first)
    done = work_on(run, WORKER)
    assert done is not None
    assert (done.state, done.error[:39]) == (
        RunState.FAILED,
        "rows.csv was changed while it was read.",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "ndjson", "csv.gz"])
def test_a_run_is_taken_up_again_on_a_file_that_has_grown_and_on_no_other(tmp_path, in_steps, kind):
    path = tmp_path / f"rows.{kind}"
    path.write_bytes(content(kind))

    def interrupted(path: Path) -> None:
        append(more(kind) * 10)(path)
        raise ConnectionAbortedError

    run = runs.create_run(path=path, file_name=path.name, trigger="test", source_name="s")
    work_on(run, WORKER, lambda _: interrupted(path))
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED, error="")
    done = work_on(run, WORKER)
    assert done is not None
    assert (done.state, done.read, done.created) == (RunState.FINISHED, ROWS, ROWS)
    assert is_of(done, content(kind))
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    truncate(path)
    truncate(path)
    again = work_on(run, WORKER)
    assert again is not None
    assert again.state == RunState.FAILED
    assert "has changed since" in again.error


@pytest.mark.django_db
def test_the_report_of_a_dry_run_is_of_what_was_digested(tmp_path, in_steps):
    path = tmp_path / "rows.csv"
    path.write_bytes(content("csv"))
    run = runs.create_run(
        path=path, file_name=path.name, trigger="test", source_name="s", save=False
    )
    report = dry_runs.examine(
        run, on_conflict="update", on_batch=lambda *_: append(more("csv"))(path)
    )
    assert (report["read"], report["created"]) == (ROWS, ROWS)
    assert is_of(run, content("csv"))
    assert "The file has grown:" in str(report["notes"])
    path.write_bytes(content("csv"))
    with pytest.raises(ChangedWhileRead, match="was changed while it was read"):
        dry_runs.examine(run, on_conflict="update", on_batch=lambda *_: truncate(path))


@pytest.mark.django_db
def test_a_pipe_is_refused_as_it_can_be_read_only_once(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with pytest.raises(CommandError, match="can't be read more than once"):
        call_command("ingest", str(pipe))


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("files") / "big.csv"
    with path.open("w") as text:
        text.write("id,timestamp,value,category\n")
        text.writelines(
            f"{n},2026-01-{n % 28 + 1:02}T10:00:00,{n}.5,C{n % 9}\n" for n in range(60_000)
        )
    return path


def ingest(at: Installation, path: Path, change) -> tuple[dict[str, Any], bytes]:
    """What the command prints of a file that a thread changes all the while, and the file then."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "ingest", str(path), "--json"],
        cwd=ROOT,
        env=at.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    ended = threading.Event()

    def keep_changing() -> None:
        while not ended.wait(0.01):
            change(path)

    thread = threading.Thread(target=keep_changing)
    thread.start()
    try:
        out, _ = process.communicate(timeout=300)
    finally:
        ended.set()
        thread.join()
    return json.loads(out), path.read_bytes()


def tries(number: int, at: Installation, big: Path, folder: Path) -> None:
    for attempt in range(number):
        path = folder / f"growing{attempt}.csv"
        path.write_bytes(big.read_bytes())
        line = f"new-{time.monotonic_ns()},2026-02-01T00:00:00,1.5,new\n".encode()
        facts, data = ingest(at, path, append(line[:20] if attempt % 2 else line))
        assert facts["state"] == "finished"
        ((size, sha256, notes),) = at.rows(
            f"SELECT size, sha256, notes FROM ingestion_runs WHERE id = {facts['run']}"
        )
        assert sha256 == hashlib.sha256(data[:size]).hexdigest()
        assert facts["read"] == len(data[:size].splitlines()) - 1
        assert size < len(data)
        assert "The file has grown:" in str(notes)


@pytest.mark.cluster
def test_the_command_reads_what_it_digests_of_a_file_that_grows(own_installation, big, tmp_path):
    tries(2, own_installation, big, tmp_path)


@pytest.mark.long
def test_the_command_reads_what_it_digests_of_a_file_that_grows_often(
    own_installation, big, tmp_path
):
    tries(8, own_installation, big, tmp_path)
