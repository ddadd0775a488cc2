"""Whatever is killed in the middle of an upload, it finishes by itself and the ledger is right."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.installation import Installation, family, kill, wait_for
from tests.site import Site

pytestmark = pytest.mark.cluster

ROWS = 50_000
# Every thousandth row is too short; every five-hundredth repeats the key before it.
REJECTED, UPDATED = 50, 99


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("files") / "big.csv"
    with path.open("w") as text:
        text.write("id,timestamp,value,category,note\n")
        for n in range(ROWS):
            if n % 1000 == 7:
                text.write(f"{n}\n")
            else:
                key = n if n % 500 or not n else n - 1
                text.write(f"{key},2026-01-{n % 28 + 1:02}T10:00:00,{n}.5,C{n % 9},note {n}\n")
    return path


def ledger(site: Site, source: str) -> tuple[Any, ...]:
    found = site.installation.rows(
        "SELECT state, read, created, updated, unchanged, rejected FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )
    return found[0]


def part(site: Site, of: str) -> psutil.Process:
    return next(p for p in family(site.process.pid) if of in " ".join(p.cmdline()))


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    # In small batches it takes long enough to be killed in the middle.
    own_installation.environment["DATAFLOW_BATCH_ROWS"] = "1000"
    return Site(own_installation, "--no-samples")


# The key of the file repeats, so it is not proposed as one.
KNOWN = """
from records.models import Source
roles = {role: [role] for role in ("id", "timestamp", "value", "category")}
Source.objects.create(name="%s", mapping={**roles, "timestamp_format": "iso"})
"""


def kill_ingestion(site: Site) -> None:
    kill(part(site, "dataflow_site.cluster ingestion"))


def kill_web(site: Site) -> None:
    kill(part(site, "gunicorn"))


def kill_everything(site: Site) -> None:
    everyone = [*family(site.process.pid), psutil.Process(site.process.pid)]
    for process in everyone:
        kill(process)
    site.process.wait()
    site.start()


def interrupt(site: Site) -> None:
    site.process.send_signal(signal.SIGINT)
    assert site.process.wait(30) == 0
    site.start()


@pytest.mark.parametrize("end", [kill_ingestion, kill_web, kill_everything, interrupt])
def test_an_upload_finishes_after(end: Callable[[Site], None], site, file):
    source = end.__name__
    site.installation.manage("shell", "-v0", "-c", KNOWN % source)
    site.upload(file, source)
    wait_for(lambda: ledger(site, source)[1] > 0, seconds=30, what="the first batch")
    assert ledger(site, source)[1] < ROWS
    end(site)
    wait_for(lambda: ledger(site, source)[0] != "running", seconds=120, what="the end of the run")
    kept = ROWS - REJECTED - UPDATED
    assert ledger(site, source) == ("finished", ROWS, kept, UPDATED, 0, REJECTED)
    rows = site.installation.rows
    records = f"SELECT COUNT(*) FROM data_records WHERE source = '{source}'"
    assert rows(records) == [(kept,)]
    processed = f"{records} AND status = 'processed'"
    wait_for(lambda: rows(processed) == [(kept,)], seconds=120, what="the processing")
    results = "SELECT COUNT(*) FROM processing_results WHERE current AND record_id LIKE"
    assert rows(f"{results} '{source}:%'") == [(kept,)]
