"""What administrators see of an installation, and what they should do."""

import platform
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from explore.health import OK
from explore.metrics.freshness import Freshness, freshness
from operations.models import Backup
from operations.probes import readiness
from operations.queues import QueueState, queue_states
from records.database import bulk
from records.jobs.registry import leased_models
from records.run_kinds import latest_runs

RUNS_SHOWN = 20
LITTLE_BYTES = 2 * 10**9
OLD_BACKUP = timedelta(days=2)
LONG_WAIT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what to do about it."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Host:
    """A machine whose workers hold runs: how many leases, the last of which ends then."""

    name: str
    leases: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Disk:
    name: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    problems: Sequence[Problem]
    queues: Sequence[QueueState]
    hosts: Sequence[Host]
    runs: Sequence[Any]
    disks: Sequence[Disk]
    versions: dict[str, str]
    backup: Backup | None
    # The last attempt at a backup, if it failed.
    failed_backup: Backup | None
    verified_at: datetime | None


def overview() -> Overview:
    queues, disks = queue_states(), _disks()
    last = Backup.objects.order_by("-finished_at").first()
    made = Backup.objects.newest()
    return Overview(
        problems=[
            *_of_parts(readiness()),
            *_of_queues(queues),
            *_of_disks(disks),
            *_of_backups(last, made),
            *_of_sources(freshness()),
        ],
        queues=queues,
        hosts=_hosts(),
        runs=latest_runs(RUNS_SHOWN, state="running").runs,
        disks=disks,
        versions=_versions(),
        backup=made,
        failed_backup=last if last is not None and last.error else None,
        verified_at=Backup.objects.last_verified(),
    )


def _hosts() -> list[Host]:
    """The machines that hold leases, by their names."""
    ends: dict[str, list[datetime]] = {}
    for model in leased_models():
        held = model._default_manager.filter(lease_until__gte=timezone.now()).exclude(worker="")
        for worker, until in held.values_list("worker", "lease_until"):
            ends.setdefault(worker.partition("/")[0], []).append(until)
    return [Host(name, len(found), max(found)) for name, found in sorted(ends.items())]


def _disks() -> list[Disk]:
    folders = {
        "Database and temporary files": settings.VAR_DIR,
        "Stored inputs": settings.INPUT_DIR,
        "Column store": settings.COLUMN_DIR,
    }
    found = {name: shutil.disk_usage(path) for name, path in folders.items() if path.exists()}
    return [Disk(name, usage.free, usage.total) for name, usage in found.items()]


def _versions() -> dict[str, str]:
    if bulk.is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            database = f"PostgreSQL {cursor.fetchone()[0]}"
    else:
        database = f"SQLite {sqlite3.sqlite_version}"
    return {
        "DataFlow Analytics": settings.VERSION,
        "Database": database,
        "Python": platform.python_version(),
    }


def _of_parts(parts: dict[str, str]) -> Iterator[Problem]:
    if parts["migrations"] != OK:
        yield Problem("Migrations are pending.", "Run manage.py migrate and restart all processes.")
    if parts["storage"] != OK:
        yield Problem(
            f"Nothing can be written to {settings.INPUT_DIR}.",
            "Uploads are refused. Make room, or make the folder writable.",
        )


def _of_queues(queues: Sequence[QueueState]) -> Iterator[Problem]:
    for queue in queues:
        if not queue.has_worker:
            yield Problem(
                f"The queue {queue.name} has no worker.",
                f"Start one with manage.py worker {queue.name}, or look at its log.",
            )
        elif queue.waited_seconds > LONG_WAIT_SECONDS:
            yield Problem(
                f"A run of the queue {queue.name} has waited for more than an hour.",
                "Its page says what it waits for. Add workers if there are too many runs.",
            )


def _of_disks(disks: Sequence[Disk]) -> Iterator[Problem]:
    for disk in disks:
        if disk.free < LITTLE_BYTES:
            yield Problem(
                f"The disk is almost full: {disk.name.lower()}.",
                "Make room. When it is full, uploads are refused and runs wait.",
            )


def _of_backups(last: Backup | None, made: Backup | None) -> Iterator[Problem]:
    if last is not None and last.error:
        yield Problem(f"The last backup failed. {last.error}", "Run manage.py backup again.")
    if made is None:
        yield Problem("There is no backup.", "Schedule manage.py backup, such as once a day.")
        return
    if made.finished_at < timezone.now() - OLD_BACKUP:
        yield Problem(
            "The newest backup is older than two days.", "Check the schedule of manage.py backup."
        )
    if made.verify_error:
        yield Problem(
            f"The newest backup can't be restored. {made.verify_error}",
            "Make another one, and verify it with manage.py backup --verify.",
        )


def _of_sources(sources: Sequence[Freshness]) -> Iterator[Problem]:
    failing = [each.source for each in sources if each.failing]
    if failing:
        shown = ", ".join(failing[:3]) + (" and others" if len(failing) > 3 else "")
        yield Problem(f"The last import failed: {shown}.", "The pages of the runs say why.")
