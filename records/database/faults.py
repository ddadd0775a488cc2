"""What an error says: whether its transaction was rolled back, and whether the environment is at
fault (a full disk, a database that is away) rather than the input."""

import errno
import sqlite3

from django.db import DatabaseError, Error, InterfaceError, InternalError, OperationalError

# Classes of PostgreSQL's codes (manual, appendix A) that say nothing about a transaction: the
# connection broke (08), or the server is shutting down (57P) or damaged (58, XX).
UNKNOWN = ("08", "57P", "58", "XX")

DISK_FULL = "The disk is full."
AWAY = "The database is not responding."
# Of runs that must not change the records of a source at the same time.
SOURCE_BUSY = "Another run is changing the records of the source."
# By the beginnings of PostgreSQL's codes.
POSTGRESQL = {
    "53100": DISK_FULL,
    "53200": "The database server is out of memory.",
    "53300": "The database server has no free connections.",
    "53": "The database server is low on resources.",
    "25006": "The database is read-only.",
    "40": "Another transaction is blocking the database.",
    "55": "Another transaction is blocking the database.",
    "57P": "The database server is shutting down.",
    "57": "The database server cancelled a query.",
    "08": AWAY,
    "58": "The database server reports a system error.",
}
SQLITE = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_BUSY: "The database is locked by another process.",
    sqlite3.SQLITE_LOCKED: "The database is locked by another process.",
    sqlite3.SQLITE_IOERR: "The database disk reports an error.",
    sqlite3.SQLITE_READONLY: "The database is read-only.",
    sqlite3.SQLITE_CANTOPEN: "The database file can't be opened.",
    sqlite3.SQLITE_NOMEM: "Not enough memory.",
}
SYSTEM = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: "The disk quota is exceeded.",
    errno.EROFS: "The disk is read-only.",
    errno.EIO: "The disk reports an error.",
    errno.ESTALE: "A network drive is not available.",
    errno.ENOTCONN: "A network drive is not available.",
    errno.EHOSTDOWN: "A network drive is not available.",
    errno.ETIMEDOUT: "A network drive is not available.",
    errno.EMFILE: "Too many files are open.",
    errno.ENFILE: "Too many files are open.",
    errno.ENOMEM: "Not enough memory.",
}


# All that environment_fault says.
FAULTS = frozenset({AWAY, SOURCE_BUSY, *POSTGRESQL.values(), *SQLITE.values(), *SYSTEM.values()})


def has_rolled_back(error: Error) -> bool:
    """Whether the server itself reported that the transaction was rolled back.

    A connection that breaks says nothing: the transaction may be committed, or under way.
    """
    code = _postgresql_code(error)
    return code is not None and not code.startswith(UNKNOWN)


def environment_fault(error: BaseException) -> str:
    """What the environment lacks, as a sentence; "" for an error that is not of its making."""
    if isinstance(error, OSError):
        return SYSTEM.get(error.errno or 0, "")
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if not isinstance(error, Error):
        return ""
    if isinstance(error.__cause__, sqlite3.Error):
        return _of_sqlite(error.__cause__)
    code = _postgresql_code(error)
    if code is not None:
        found = (text for start, text in POSTGRESQL.items() if code.startswith(start))
        return next(found, "")
    # A broken connection is told by these, and once in a while by no more than DatabaseError.
    is_broken = isinstance(error, OperationalError | InterfaceError | InternalError)
    return AWAY if is_broken or type(error) is DatabaseError else ""


def is_locked(error: Error) -> bool:
    """Whether another process has kept SQLite locked for longer than one waits for it."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_BUSY


def _of_sqlite(error: sqlite3.Error) -> str:
    # The lower byte is the primary code (https://sqlite.org/rescode.html).
    return SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")


def _postgresql_code(error: Error) -> str | None:
    code = getattr(error.__cause__, "pgcode", None)
    return code if isinstance(code, str) else None
