"""The same file at once from browser, command and API makes one set of records."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.request import Request, urlopen

import pytest

from tests.installation import Installation, wait_for
from tests.outcomes import counters, recounted
from tests.site import Site, Visitor

pytestmark = pytest.mark.cluster

ROWS = 40_000
# Every thousandth row is too short.
REJECTED = ROWS // 1000
RECORDS = ROWS - REJECTED


@pytest.fixture(scope="module")
def site(own_installation: Installation) -> Site:
    # Two workers have the runs of browser and API at the same time, in many small batches.
    own_installation.environment |= {"DATAFLOW_WORKERS": "2", "DATAFLOW_BATCH_ROWS": "200"}
    return Site(own_installation, "--no-samples")


def with_keys(path: Path) -> None:
    with path.open("w") as file:
        file.write("id,timestamp,value,category\n")
        for n in range(ROWS):
            sound = f"{n},2026-01-{n % 28 + 1:02}T10:00:00,{n}.5,C{n % 9}\n"
            file.write(f"{n}\n" if n % 1000 == 7 else sound)


def without_keys(path: Path) -> None:
    """Each row stands there five times, in different places."""
    with path.open("w") as file:
        file.write("timestamp,value,category\n")
        for n in range(ROWS):
            alike = n % (ROWS // 5)
            sound = f"2026-01-{alike % 28 + 1:02}T10:00:00,{alike}.5,C{alike % 9}\n"
            file.write("too short\n" if n % 1000 == 7 else sound)


@pytest.mark.parametrize("write", [with_keys, without_keys])
def test_the_same_file_at_once_from_browser_command_and_api_makes_one_set_of_records(
    write: Callable[[Path], None], site: Site, tmp_path: Path
) -> None:
    source = write.__name__
    file = tmp_path / "same.csv"
    write(file)
    rows = site.installation.rows
    runs = f"FROM ingestion_runs JOIN sources ON source_id = sources.id WHERE name = '{source}'"
    visitor = Visitor(site)
    preview = visitor.send(file, source)
    at_once = Barrier(3)

    def by_browser() -> None:
        at_once.wait()
        visitor.load(preview)

    def by_command() -> str:
        started = site.installation.start(
            *(sys.executable, "manage.py", "ingest", str(file)), "--source", source
        )
        # It takes a second or two to come as far as the others are.
        wait_for(lambda: rows(f"SELECT 1 {runs} AND how = 'command'"), seconds=60, what="its run")
        at_once.wait()
        return str(started.wait(120))

    def by_api() -> None:
        url = f"{site.url}/api/ingest?source={source}"
        headers = {"Authorization": site.token, "Content-Type": "text/csv"}
        at_once.wait()
        with urlopen(Request(url, file.read_bytes(), headers)) as answer:
            assert answer.status == 202
            assert json.load(answer)["source"] == source

    with ThreadPoolExecutor(3) as pool:
        begun = [pool.submit(each) for each in (by_browser, by_command, by_api)]
    assert [each.result() for each in begun] == [None, "0", None]
    ended = f"SELECT how {runs} AND state = 'finished' ORDER BY how"
    wait_for(
        lambda: rows(ended) == [("api",), ("command",), ("upload",)], seconds=120, what="the runs"
    )

    # Each had come before the first was done with it.
    came = "ingestion_runs.created_at"
    assert rows(f"SELECT MAX({came}) < MIN(finished_at) {runs}") in ([(True,)], [(1,)])
    ledgers = rows(f"SELECT ingestion_runs.id, read, created, updated, unchanged, rejected {runs}")
    for _, read, created, updated, unchanged, rejected in ledgers:
        assert (read, updated, rejected) == (ROWS, 0, REJECTED)
        assert created + unchanged == RECORDS
    assert sum(created for _, _, created, *_ in ledgers) == RECORDS
    records = f"FROM data_records WHERE source = '{source}'"
    made = dict(rows(f"SELECT run_id, COUNT(*) {records} AND version = 1 GROUP BY run_id"))
    assert made == {run: created for run, _, created, *_ in ledgers if created}
    of_them = f"WHERE run_id IN (SELECT ingestion_runs.id {runs})"
    held = f"SELECT COUNT(*), COUNT(DISTINCT line) FROM rejected_rows {of_them}"
    assert rows(held) == [(3 * REJECTED, REJECTED)]

    processed = f"SELECT COUNT(*) {records} AND status = 'processed'"
    wait_for(lambda: rows(processed) == [(RECORDS,)], seconds=120, what="the processing")
    assert counters(site.installation, source) == recounted(site.installation, source)
    results = f"SELECT COUNT(*) FROM processing_results WHERE record_id LIKE '{source}:%'"
    assert rows(results) == [(RECORDS,)]
