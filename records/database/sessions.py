"""Sessions of PostgreSQL that belong to a worker: named for it, and ended when it is replaced.

A worker that is frozen, or cut off from the network, keeps its transaction open and with it the
locks on what it has written. Whoever takes its run over ends its sessions first. SQLite has no
sessions: the supervisor ends the process instead (see dataflow_site.workers).
"""

import logging
from typing import Any

from django.conf import settings
from django.db import connection

from records.database import bulk

log = logging.getLogger(__name__)

# The name of a session that does no worker's work. Names are cut at 63 characters.
NOBODY = "dataflow"


def name_session(worker: str = "") -> None:
    """Name this thread's session for the worker, or for nobody."""
    if bulk.is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [_name(worker)])


def end_sessions(worker: str) -> int:
    """End the sessions of a worker; their transactions are rolled back. Returns how many."""
    if not worker or not bulk.is_postgresql():
        return 0
    return _end("application_name = %s", [_name(worker)])


def end_forsaken_sessions(workers: list[str]) -> int:
    """End old transactions of workers that hold no lease: none of ``workers``, who do.

    They would be frozen ones whose run has been ended, so that nobody takes it over.
    """
    if not bulk.is_postgresql():
        return 0
    return _end(
        "application_name LIKE %s AND NOT application_name = ANY(%s) "
        "AND xact_start < clock_timestamp() - make_interval(secs => %s)",
        [f"{NOBODY} %", [_name(worker) for worker in workers], 2 * settings.LEASE_SECONDS],
    )


def _end(condition: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608 (words of ours)
            "WHERE datname = current_database() AND usename = current_user "
            f"AND pid <> pg_backend_pid() AND {condition}",
            parameters,
        )
        ended = int(cursor.fetchone()[0])
    if ended:
        log.warning("Ended %d sessions of workers that gave no sign of life.", ended)
    return ended


def _name(worker: str) -> str:
    return f"{NOBODY} {worker.rpartition(':')[2]}" if worker else NOBODY
