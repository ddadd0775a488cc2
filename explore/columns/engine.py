"""The DuckDB of this process."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_lock = threading.Lock()
_engine: "DuckDBPyConnection | None" = None
# DuckDB has threads, which a process that is forked does not get: it makes an engine of its own.
_process = 0


@contextmanager
def cursor() -> Iterator["DuckDBPyConnection"]:
    """A connection with temporary tables and views of its own, which are gone afterwards."""
    own = _of_process().cursor()
    try:
        own.execute("SET TimeZone = 'UTC'")
        yield own
    finally:
        own.close()


def _of_process() -> "DuckDBPyConnection":
    global _engine, _process
    with _lock:
        if _engine is None or _process != os.getpid():
            _engine, _process = _opened(), os.getpid()
        return _engine


def _opened() -> "DuckDBPyConnection":
    # Loaded when it is needed: most processes start without it.
    import duckdb

    return duckdb.connect(
        config={
            "memory_limit": f"{settings.COLUMNS_MEMORY_MB}MB",
            "threads": settings.COLUMNS_THREADS,
            "temp_directory": str(Path(tempfile.gettempdir()) / "duckdb"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def environment_fault(error: BaseException) -> str:
    """What DuckDB lacks, as a sentence; "" for an error that is not of the environment's making."""
    import duckdb

    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
        return str(error).partition("\n")[0]
    return ""
