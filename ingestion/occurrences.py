"""Counts how often a row's content has been seen in an input, in flat memory. Pure."""

import sqlite3
from types import TracebackType
from typing import Self


class Occurrences:
    """Digest -> how often it has now been seen.

    The counts live in a temporary SQLite database that spills to disk by itself, because an input
    without a key may have as many different rows as it likes.
    """

    def __enter__(self) -> Self:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, n INT) WITHOUT ROWID")
        self._connection.execute("BEGIN")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def __call__(self, digest: bytes) -> int:
        (count,) = self._connection.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
            (digest,),
        ).fetchone()
        return int(count)
