"""`kill -9` of one of two workers that process: each record has one result, as if nothing had been.

The long form: ``pytest -s -m long tests/faults/test_killed_processing.py``.
DATAFLOW_SEED repeats a plan.
"""

import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

import psutil
import pytest

from tests.installation import Installation, copied, family, kill, wait_for
from tests.outcomes import counters, recounted

MANAGE = (sys.executable, "manage.py")
SOURCE = "sales"
LEASE_SECONDS = 5


@pytest.fixture
def landed(
    request: pytest.FixtureRequest, prepared_installation: Installation, tmp_path: Path
) -> Iterator[tuple[Installation, int]]:
    """An installation with raw records, and a run that waits for a worker."""
    rows: int = request.param
    path = tmp_path / f"{SOURCE}.csv"
    with path.open("w") as file:
        file.write("id,date,value,category\n")
        for number in range(rows):
            value = "n/a" if number % 100 == 50 else "" if number % 50 == 7 else f"{number}.25"
            file.write(f"{number:07},2026-01-{number % 28 + 1:02},{value}, C{number % 9} \n")
    with copied(prepared_installation, tmp_path / "landed") as made:
        made.environment |= {
            "DATAFLOW_WORKERS": "2",
            "DATAFLOW_LEASE_SECONDS": str(LEASE_SECONDS),
            "DATAFLOW_BATCH_ROWS": str(max(rows // 200, 100)),
        }
        made.manage("ingest", str(path))
        yield made, rows


def digest(at: Installation) -> str:
    """Of what the current results say."""
    return at.manage("digest", "--source", SOURCE, "--results")


def holders(at: Installation) -> list[psutil.Process]:
    """The workers that hold batches, as far as they live."""
    names = at.rows("SELECT DISTINCT worker FROM processing_batches WHERE worker <> ''")
    pids = {int(name.split(":")[-2].partition(".")[0]) for (name,) in names}
    return [each for process in at.processes for each in family(process.pid) if each.pid in pids]


def is_done(at: Installation) -> bool:
    active = "SELECT COUNT(*) FROM processing_runs WHERE state IN ('queued', 'running')"
    return at.rows(active) == [(0,)]


def killed(at: Installation, random: Random, wanted: int) -> tuple[int, int]:
    """Have two workers process, and kill one of them again and again: how often, and how often
    while the other one was at work."""
    kills = beside_another = 0
    at.start(*MANAGE, "worker", "processing")
    wait_for(lambda: holders(at) or is_done(at), seconds=300, what=f"a batch; {at.log}")
    while kills < wanted and not is_done(at):
        both_by = time.monotonic() + LEASE_SECONDS
        while len(holders(at)) < 2 and not is_done(at) and time.monotonic() < both_by:
            time.sleep(0.05)
        time.sleep(random.random() * 0.3)
        if found := holders(at):
            kill(random.choice(found))
            kills += 1
            beside_another += len(found) > 1
    return kills, beside_another


@pytest.mark.parametrize(
    ("landed", "wanted"),
    [
        pytest.param(40_000, 4, marks=pytest.mark.cluster, id="short"),
        pytest.param(300_000, 100, marks=pytest.mark.long, id="long"),
    ],
    indirect=["landed"],
)
def test_a_worker_that_is_killed_leaves_nothing_stuck_lost_or_twice(
    landed: tuple[Installation, int], wanted: int, tmp_path: Path
) -> None:
    original, rows = landed
    seed = int(os.environ.get("DATAFLOW_SEED") or SystemRandom().randrange(10**6))
    say(f"DATAFLOW_SEED={seed}")
    with copied(original, tmp_path / "undisturbed") as at:
        at.manage("process", "--source", SOURCE)
        expected, expected_counters = digest(at), counters(at, SOURCE)
    random, kills, beside = Random(seed), 0, 0  # noqa: S311 (a test)
    for attempt in range(50):
        if kills >= wanted:
            break
        with copied(original, tmp_path / f"killed {attempt}") as at:
            more, beside_another = killed(at, random, wanted - kills)
            last = time.monotonic()
            wait_for(partial(is_done, at), seconds=600, what=f"the end; {at.log}")
            kills, beside = kills + more, beside + beside_another
            say(f"{kills} kills; done {time.monotonic() - last:.1f} s after the last of them")
            assert digest(at) == expected
            assert at.rows("SELECT COUNT(*) FROM processing_results") == [(rows,)]
            assert at.rows("SELECT COUNT(*) FROM processing_batches") == [(0,)]
            unfinished = "SELECT COUNT(*) FROM data_records WHERE status IN ('raw', 'processing')"
            assert at.rows(unfinished) == [(0,)]
            assert counters(at, SOURCE) == recounted(at, SOURCE) == expected_counters
    say(f"{kills} kills, {beside} of them while the other worker was at work as well")
    assert kills >= wanted


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
