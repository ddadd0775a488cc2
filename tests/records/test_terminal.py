"""The progress of a run on a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from datetime import timedelta

from django.utils import timezone

from records.jobs.terminal import facts, progress_bar
from records.models import IngestionRun, ProcessingRun, Source
from tests.installation import ROOT, Installation


def test_it_tells_bytes_rows_rate_rejects_and_time_left() -> None:
    run = IngestionRun(
        source=Source(name="s"), file_name="a.csv", state="running", size=4_000_000,
        bytes_read=1_000_000, read=50_000, created=49_997, rejected=3,
        started_at=timezone.now() - timedelta(seconds=10),
    )  # fmt: skip
    assert re.fullmatch(
        r"1\.0 MB of 4\.0 MB, 50,000 rows, (4,99\d|5,000)/s, 3 rejected, 30 s left",
        ", ".join(facts(run)),
    )
    assert list(facts(IngestionRun(size=10))) == ["0 bytes of 10 bytes", "0 rows"]


def test_it_tells_how_far_processing_is() -> None:
    run = ProcessingRun(
        state="running", total=100, processed=20, failed=5,
        started_at=timezone.now() - timedelta(seconds=25),
    )  # fmt: skip
    assert ", ".join(facts(run)) == "25 of 100 records, 1/s, 5 failed, 1 min 15 s left"


def test_it_tells_what_is_fetched_and_no_size_that_is_not_known() -> None:
    run = IngestionRun(file_name="a.ndjson", state="running", activity="Fetching page 3")
    assert list(facts(run)) == ["Fetching page 3"]


def test_without_a_terminal_there_is_no_bar() -> None:
    with progress_bar(enabled=True) as show:
        assert show is None


def test_a_terminal_shows_the_bar_while_a_file_lands(own_installation: Installation) -> None:
    file = own_installation.folder / "sales.csv"
    rows = "".join(f"{n},{n}.5\n" if n % 10 else f"{n}\n" for n in range(60_000))
    file.write_text(f"id,value\n{rows}")
    master, slave = pty.openpty()
    command = [sys.executable, "manage.py", "ingest", str(file)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=own_installation.environment | {"COLUMNS": "120"}, stdin=slave,
        stdout=subprocess.PIPE, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 1 << 16)
            except OSError:
                break  # the other end is closed
        elif process.poll() is not None:
            break
    assert process.wait(60) == 0
    assert process.stdout is not None
    process.stdout.close()
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"kB, [\d,]+ rows, [\d,]+/s, [\d,]+ rejected", text), text
