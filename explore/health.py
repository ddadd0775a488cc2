"""The health of the parts that the service needs."""

import logging
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from records.database import disk
from records.jobs.liveness import worker_alive
from records.jobs.waiting import what_runs_wait_for
from records.visible_sources import limited_to

log = logging.getLogger(__name__)

OK = "ok"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of each part: "ok", or what is wrong with it in a few words for anyone to read."""

    parts: dict[str, str]
    # What runs wait for, as sentences; they go on by themselves, so the service is not unhealthy.
    waits_for: list[str] = field(default_factory=list)

    @property
    def failing(self) -> list[str]:
        return [part for part, state in self.parts.items() if state != OK]


class Migrations:
    """Remembers that all migrations have been applied: a running service never loses one."""

    applied = False

    @classmethod
    def are_applied(cls) -> bool:
        if not cls.applied:
            executor = MigrationExecutor(connection)
            cls.applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return cls.applied


def check_health() -> Health:
    """Look at the database, its tables, its disk and the worker of every queue.

    Where the database does not answer, the other parts can't be known.
    """
    with limited_to(None):
        return _check_health()


def _check_health() -> Health:
    waits_for: list[str] = []
    names = ("database", "migrations", "disk", *map(worker, settings.QUEUES))
    parts = dict.fromkeys(names, "unknown")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        parts["database"] = OK
        parts["disk"] = "full" if disk.is_full() else OK
        parts["migrations"] = OK if Migrations.are_applied() else "pending"
        if parts["migrations"] == OK:
            for queue in settings.QUEUES:
                parts[worker(queue)] = OK if worker_alive(queue) else "not responding"
            waits_for = what_runs_wait_for()
    except Error:
        log.exception("The database is not responding.")
        parts["database"] = "not responding"
    return Health(parts, waits_for)


def worker(queue: str) -> str:
    """The name of a queue's worker as a part of the service."""
    return f"{queue}_worker"
