"""SQLite: the copy is a database itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from operations.backups.databases import connected_to
from operations.backups.errors import BackupError

MEMBER = "database.sqlite3"
# How long another process may keep the database locked.
WAIT_SECONDS = 30


@contextmanager
def copied(target: Path) -> Iterator[None]:
    """Others go on reading and writing meanwhile: what they write is not in the copy."""
    _copy(Path(connection.settings_dict["NAME"]), target)
    with connected_to(target):
        yield


@contextmanager
def loaded(dump: Path) -> Iterator[Path]:
    yield dump


def replace(scratch: Path) -> None:
    """In one transaction, so others see the one database or the other."""
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    _copy(scratch, target)


def _copy(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(source, timeout=WAIT_SECONDS)) as reading,
            closing(sqlite3.connect(target, timeout=WAIT_SECONDS)) as writing,
        ):
            reading.backup(writing)
    except sqlite3.Error as error:
        raise BackupError(f"The database can't be copied to {target}: {error}.") from error
    target.chmod(0o600)
