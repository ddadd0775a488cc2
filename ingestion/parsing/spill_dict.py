"""A dictionary that spills to disk, for the keys of an input. Pure."""

import sqlite3
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

import orjson


class SpillDict:
    """Maps keys to values; use it in a ``with`` block.

    It uses a temporary SQLite database that spills to disk by itself, because an input may have
    any number of distinct keys.
    """

    def __enter__(self) -> Self:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("CREATE TABLE seen (key PRIMARY KEY, value) WITHOUT ROWID")
        self._connection.execute("BEGIN")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def count(self, key: bytes) -> int:
        """Count a key, and return how often it has been counted."""
        (count,) = self._connection.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1 "
            "RETURNING value",
            (key,),
        ).fetchone()
        return int(count)

    def remember(self, values: Mapping[str, bytes]) -> None:
        """Store values, replacing those of the same keys."""
        self._connection.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", values.items())

    def remembered(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The stored values of the keys that have one."""
        wanted = (orjson.dumps(list(keys)).decode(),)
        return dict(
            self._connection.execute(
                "SELECT key, value FROM seen WHERE key IN (SELECT value FROM json_each(?))", wanted
            )
        )
