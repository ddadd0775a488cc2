"""The background workers go on, whatever is killed."""

import logging
import sys
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ, Task

from dataflow_site import workers
from dataflow_site.child import Child
from dataflow_site.supervisor import Supervisor
from dataflow_site.workers import Workers
from records.models import Export
from tests.installation import Installation, family, gone, kill, wait_for

# Within which all processes have started, on a machine that has much else to do.
START_SECONDS = 90
WORKER = (sys.executable, "manage.py", "worker", "ingestion")


def cluster(pid: int) -> psutil.Process | None:
    """The main process of the supervisor's one cluster."""
    return next(iter(psutil.Process(pid).children()), None)


def parts(pid: int) -> dict[str, psutil.Process]:
    """The processes of a cluster; a new one starts worker, monitor and pusher in this order."""
    main = cluster(pid)
    sentinel = next(iter(main.children()), None) if main else None
    rest = sorted(sentinel.children(), key=lambda each: each.create_time()) if sentinel else []
    if len(rest) != 3:
        return {}
    return {
        "cluster": main,
        "sentinel": sentinel,
        **dict(zip(("worker", "monitor", "pusher"), rest, strict=True)),
    }


def carries_out_a_task(installation: Installation) -> None:
    """Queue a task, and see what it leaves behind; another must be acknowledged, too."""
    proof = uuid.uuid4().hex
    enqueue = f"""
from django_q.tasks import async_task
async_task("dataflow_site.tasks.beat", "{proof}", cluster="ingestion")
"""
    installation.manage("shell", "-v0", "-c", enqueue)
    wait_for(
        lambda: (proof,) in installation.rows("SELECT queue FROM heartbeats"),
        seconds=2 * START_SECONDS,
        what=f"the task; log: {installation.log}",
    )
    wait_for(
        lambda: installation.rows("SELECT count(*) FROM django_q_ormq") == [(0,)],
        seconds=2 * START_SECONDS,
        what="that no task is left in the queue",
    )


@pytest.fixture(scope="module")
def supervisor(own_installation: Installation) -> int:
    process = own_installation.start(*WORKER, DATAFLOW_WORKER_SILENCE_SECONDS="6")
    wait_for(lambda: parts(process.pid), seconds=START_SECONDS, what="the cluster")
    return process.pid


@pytest.mark.cluster
@pytest.mark.parametrize("part", ["worker", "monitor", "pusher", "sentinel", "cluster"])
def test_a_queued_task_is_carried_out_after_kill_9_of(
    part: str, own_installation: Installation, supervisor: int
) -> None:
    carries_out_a_task(own_installation)
    victim = wait_for(lambda: parts(supervisor), seconds=START_SECONDS, what="a whole cluster")
    kill(victim[part])
    carries_out_a_task(own_installation)


@pytest.mark.cluster
def test_a_supervised_cluster_shows_that_it_is_alive(
    own_installation: Installation, supervisor: int
) -> None:
    assert own_installation.manage("worker", "--check", "ingestion") == ""


@pytest.mark.cluster
def test_kill_9_of_the_supervisor_leaves_no_process_behind(own_installation: Installation) -> None:
    process = own_installation.start(*WORKER)
    wait_for(lambda: parts(process.pid), seconds=START_SECONDS, what="the cluster")
    everyone = family(process.pid)
    process.kill()
    wait_for(lambda: gone(everyone), seconds=60, what=f"the end of {everyone}")


@pytest.mark.cluster
def test_kill_9_of_supervisor_and_cluster_at_once_leaves_no_process_behind(
    own_installation: Installation,
) -> None:
    process = own_installation.start(*WORKER)
    found = wait_for(lambda: parts(process.pid), seconds=START_SECONDS, what="the cluster")
    everyone = family(process.pid)
    process.kill()
    kill(found["cluster"])
    kill(found["sentinel"])
    wait_for(lambda: gone(everyone), seconds=60, what=f"the end of {everyone}")


@pytest.mark.cluster
def test_terminated_it_stops_its_cluster_in_good_order(own_installation: Installation) -> None:
    process = own_installation.start(*WORKER)
    wait_for(lambda: parts(process.pid), seconds=START_SECONDS, what="the cluster")
    everyone = family(process.pid)
    process.terminate()
    assert process.wait(START_SECONDS) == 0
    assert gone(everyone)


def test_an_unknown_queue_is_one_clear_line(own_installation: Installation) -> None:
    process = own_installation.start(sys.executable, "manage.py", "worker", "nowhere")
    assert process.wait(START_SECONDS) == 2
    line = "Unknown queue: nowhere. The queues are: ingestion, processing."
    assert own_installation.log.splitlines()[-1] == line


def test_a_queue_without_a_worker_fails_the_check(own_installation: Installation) -> None:
    process = own_installation.start(*WORKER[:3], "--check", "processing")
    assert process.wait(START_SECONDS) == 1
    assert own_installation.log.splitlines()[-1] == "No running worker for: processing."


@pytest.fixture
def asleep() -> Iterator[Child]:
    """A child that is alive and answers nothing."""
    child = Child("The sleeper", ["sleep", "600"])
    yield child
    child.kill()


@pytest.mark.django_db
def test_questions_do_not_pile_up_while_a_worker_is_busy(
    asleep: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT_SECONDS", 0)
    busy = Workers("ingestion")
    busy.child = asleep
    for _ in range(3):
        busy.look()
    assert OrmQ.objects.filter(key="ingestion").count() == 1


@pytest.mark.django_db
def test_a_silent_cluster_is_started_anew(
    asleep: Child, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "SILENCE_SECONDS", 0)
    silent = Workers("ingestion")
    silent.child = asleep
    silent.look()
    assert asleep.running
    time.sleep(0.01)
    silent.look()
    assert not asleep.running
    assert "The sleeper is not responding; restarting in 1 s" in caplog.text


@pytest.mark.django_db
def test_a_cluster_that_is_slow_to_start_is_given_longer_each_time(
    asleep: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    monkeypatch.setattr(Child, "restart", lambda child, reason: restarts.append(seconds[0]))
    restarts: list[float] = []
    slow = Workers("ingestion")
    slow.child = asleep
    for _ in range(500):
        slow.look()
        seconds[0] += 1
    assert restarts == [61, 182, 423]
    Task.objects.create(
        id=slow.question, name="beat", func="beat", started=timezone.now(), stopped=timezone.now()
    )
    slow.look()
    assert slow.silence_allowed == workers.SILENCE_SECONDS


@pytest.mark.django_db
def test_the_supervisor_removes_exports_that_have_expired() -> None:
    Export.objects.create(trigger="test", expires_at=timezone.now())
    Supervisor([])._look(tidy=True)
    assert not Export.objects.exists()


def test_a_child_that_keeps_ending_is_started_again_after_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child("The brief one", ["sh", "-c", "exit 3"])
    for _ in range(7):
        child.keep_running()
        assert child.process is not None
        child.process.wait()
        child.keep_running()
        child.start_after = 0
    pauses = [record.args[2] for record in caplog.records if isinstance(record.args, tuple)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert "ended with code 3" in caplog.text


@pytest.mark.django_db
def test_a_database_that_is_away_is_one_line_in_the_log_and_no_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Workers) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(Workers, "look", away)
    supervisor = Supervisor(["ingestion"])
    with caplog.at_level(logging.WARNING):
        supervisor._look(tidy=False)
        supervisor._look(tidy=False)
    assert [record.getMessage() for record in caplog.records] == [
        "The database can't be used: connection refused"
    ]
