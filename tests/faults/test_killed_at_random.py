"""`kill -9` of a run's worker at random moments: what it leaves is what an undisturbed run leaves.

The long form: ``pytest -s -m long tests/faults/test_killed_at_random.py``.
DATAFLOW_SEED repeats a plan.
"""

import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

import psutil
import pytest

from tests import scenarios
from tests.installation import Installation, copied, family, kill, wait_for
from tests.outcomes import Outcome, outcome
from tests.scenarios import Scenario

MANAGE = (sys.executable, "manage.py")
QUEUE = """
from pathlib import Path
from ingestion.loading.runs import create_run
from records.jobs.runner import queue
path = Path({path!r})
queue(create_run(path=path, file_name=path.name, trigger="upload", source_name={source!r}))
"""
# Five workers that die on a run without getting on are its end, by design.
MOST_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """How the run under test stands."""

    id: int
    state: str
    worker: str
    read: int
    attempts: int
    prepared: bool

    @property
    def pid(self) -> int:
        return int(self.worker.split(":")[-2].partition(".")[0])

    @property
    def ended(self) -> bool:
        return self.state not in ("queued", "running")


@dataclass(slots=True)
class Undisturbed:
    """What a run leaves that nobody disturbs, and how many seconds it takes."""

    outcome: Outcome
    until_first_batch: float
    in_all: float


@dataclass(slots=True)
class Kills:
    """The kills so far, by where they hit."""

    random: Random
    phases: Counter[str] = field(default_factory=Counter)
    in_transaction: int = 0
    runs: int = 0

    @property
    def count(self) -> int:
        return self.phases.total()

    def add(self, seen: Seen, rows: int, *, in_transaction: bool) -> str:
        if not seen.prepared:
            phase = "preparation"
        elif seen.read == rows:
            phase = "behind the last batch"
        elif not seen.read:
            phase = "before the first batch"
        else:
            phase = f"rows, quarter {1 + seen.read * 4 // rows}"
        self.phases[phase] += 1
        self.in_transaction += in_transaction
        return phase


def look(at: Installation) -> Seen | None:
    """The newest run, if a worker has it or had it."""
    found = at.rows(
        "SELECT id, state, worker, read, attempts, sha256 <> '' FROM ingestion_runs "
        "WHERE worker <> '' ORDER BY id DESC LIMIT 1"
    )
    return Seen(*found[0]) if found else None


def writes(at: Installation) -> bool:
    """Whether a transaction is open that writes."""
    if at.database_url:
        open_ones = (
            "SELECT COUNT(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_xid IS NOT NULL"
        )
        return bool(at.rows(open_ones)[0][0])
    path = at.folder / "dataflow.sqlite3"
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


class Run:
    """A run of the second file of a scenario, and the workers that take it over."""

    def __init__(self, at: Installation, scenario: Scenario, before: int) -> None:
        self.at = at
        self.scenario = scenario
        self.before = before
        self.workers = at.start(*MANAGE, "worker", "ingestion")

    def start(self, *, by_command: bool) -> None:
        path, source = str(self.scenario.second), self.scenario.source
        if by_command:
            self.at.start(*MANAGE, "ingest", path, "--source", source, "--json")
        else:
            self.at.manage("shell", "-v0", "-c", QUEUE.format(path=path, source=source))

    def look(self) -> Seen | None:
        found = look(self.at)
        return found if found is not None and found.id > self.before else None

    def wait(self, *, behind: Seen | None = None, read: int = -1) -> Seen:
        """The run, once another worker has it, and has read so many rows; or once it has ended."""

        def found() -> Seen | None:
            seen = self.look()
            if seen is None or seen.ended:
                return seen
            is_next = behind is None or seen.worker != behind.worker
            return seen if is_next and seen.state == "running" and seen.read >= read else None

        return wait_for(found, seconds=300, what=f"{read} rows, behind {behind}; {self.at.log}")

    def kill(self, seen: Seen, *, everyone: bool) -> None:
        ours = [
            each
            for process in self.at.processes
            if process.poll() is None
            for each in [*family(process.pid), psutil.Process(process.pid)]
        ]
        victims = ours if everyone else [each for each in ours if each.pid == seen.pid]
        assert seen.pid in [victim.pid for victim in victims], self.at.log
        for victim in victims:
            kill(victim)
        # One that nobody has waited for still counts as running.
        for process in self.at.processes:
            if process.pid in [victim.pid for victim in victims]:
                process.wait()
        if everyone:
            self.workers = self.at.start(*MANAGE, "worker", "ingestion")

    def end(self) -> None:
        for process in self.at.processes:
            process.terminate()
            process.wait(60)


@pytest.fixture
def prepared(
    request: pytest.FixtureRequest, prepared_installation: Installation, tmp_path: Path
) -> Iterator[tuple[Installation, list[Scenario]]]:
    """An installation in which the first file of each scenario has been loaded and processed."""
    rows: int = request.param
    with copied(prepared_installation, tmp_path / "prepared") as made:
        made.environment["DATAFLOW_BATCH_ROWS"] = str(min(rows // 30, 5_000))
        all_scenarios = [make(tmp_path, rows) for make in (scenarios.keyed, scenarios.keyless)]
        for scenario in all_scenarios:
            made.manage("ingest", str(scenario.first), "--source", scenario.source)
        made.manage("process")
        yield made, all_scenarios


def undisturbed(original: Installation, scenario: Scenario, folder: Path) -> Undisturbed:
    with copied(original, folder) as at:
        before = at.rows("SELECT MAX(id) FROM ingestion_runs")[0][0]
        run = Run(at, scenario, before)
        run.start(by_command=True)
        run.wait()
        begun = time.monotonic()
        run.wait(read=1)
        first = time.monotonic() - begun
        seen = run.wait(read=scenario.read + 1)
        in_all = time.monotonic() - begun
        run.end()
        found = outcome(at, scenario.source, seen.id)
    assert found.ledger == scenario.ledger
    assert [line for line, *_ in found.rejected] == scenario.rejected
    assert found.found[0] == "finished"
    return Undisturbed(found, first, in_all)


def killed(
    original: Installation,
    scenario: Scenario,
    folder: Path,
    expected: Undisturbed,
    kills: Kills,
    wanted: int,
) -> Outcome:
    """What a run leaves whose workers are killed at most ``wanted`` times."""
    random = kills.random
    first_share = expected.until_first_batch / expected.in_all
    # About how long it takes to come back to where the last worker was.
    spread = max(expected.until_first_batch, expected.in_all / 30)
    with copied(original, folder) as at:
        before = at.rows("SELECT MAX(id) FROM ingestion_runs")[0][0]
        run = Run(at, scenario, before)
        run.start(by_command=random.random() < 0.5)
        last: Seen | None = None
        moments = sorted(random.random() for _ in range(wanted))
        if random.random() < 0.5:
            # The time before the first batch is short, and to be hit all the same.
            moments[0] *= first_share
        for moment in moments:
            everyone, pause = random.random() < 0.25, random.random()
            seen = run.wait(behind=last)
            if last is None and moment < first_share:
                time.sleep(moment * expected.in_all)
            else:
                share = max(moment - first_share, 0) / (1 - first_share)
                run.wait(behind=last, read=int(share * scenario.read))
                time.sleep(pause * spread)
            if (seen := run.wait(behind=last)).attempts >= MOST_ATTEMPTS:
                seen = run.wait(behind=last, read=seen.read + 1)
            if seen.ended:
                break
            inside = writes(at)
            run.kill(seen, everyone=everyone)
            last = look(at)
            assert last is not None
            phase = kills.add(last, scenario.read, in_transaction=inside)
            say(f"  {phase}, {last.read:,} rows{', everyone' if everyone else ''}")
        seen = run.wait(read=scenario.read + 1)
        kills.runs += 1
        run.end()
        return outcome(at, scenario.source, seen.id)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@pytest.mark.parametrize(
    ("prepared", "wanted", "in_a_run"),
    [
        pytest.param(15_000, 4, (2, 2), marks=pytest.mark.cluster, id="short"),
        pytest.param(300_000, 100, (5, 12), marks=pytest.mark.long, id="long"),
    ],
    indirect=["prepared"],
)
def test_a_run_that_is_killed_at_random_leaves_what_an_undisturbed_one_leaves(
    prepared: tuple[Installation, list[Scenario]],
    wanted: int,
    in_a_run: tuple[int, int],
    tmp_path: Path,
) -> None:
    original, all_scenarios = prepared
    seed = int(os.environ.get("DATAFLOW_SEED") or SystemRandom().randrange(10**6))
    say(f"DATAFLOW_SEED={seed}")
    expected = {}
    for scenario in all_scenarios:
        expected[scenario.source] = undisturbed(original, scenario, tmp_path / "undisturbed")
        taken = expected[scenario.source]
        say(f"{scenario.source}: {scenario.ledger} in {taken.in_all:.1f} s")
    kills = Kills(Random(seed))  # noqa: S311 (a test)
    while kills.count < wanted:
        # Three runs in four are with keys: they update.
        scenario = all_scenarios[kills.runs % 4 == 1]
        say(f"{kills.count} kills; run {kills.runs + 1} of {scenario.source}")
        most = min(kills.random.randint(*in_a_run), wanted - kills.count)
        found = killed(
            original, scenario, tmp_path / "killed", expected[scenario.source], kills, most
        )
        assert found == expected[scenario.source].outcome
    phases = ", ".join(f"{phase}: {count}" for phase, count in sorted(kills.phases.items()))
    say(
        f"{kills.count} kills in {kills.runs} runs ({phases}); {kills.in_transaction} while writing"
    )
