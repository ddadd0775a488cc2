"""The connection to SQLite in memory that the threads of a live server share with the tests.

Python's sqlite3 asks a statement for the names of its columns while it holds the lock of the
interpreter. Where another thread is in a query with a function written in Python on the same
connection, each waits for the other for ever. So one cursor works at a time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.sqlite3 import base

_turn = threading.RLock()


class _Cursor(base.SQLiteCursorWrapper):
    """A cursor that waits for its turn without holding the interpreter."""

    def execute(self, query: str, params: Any = None) -> Any:
        with _turn:
            return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        with _turn:
            return super().executemany(query, param_list)

    def fetchone(self) -> Any:
        with _turn:
            return super().fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        with _turn:
            return super().fetchmany(self.arraysize if size is None else size)

    def fetchall(self) -> Any:
        with _turn:
            return super().fetchall()

    def __next__(self) -> Any:
        with _turn:
            return super().__next__()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """New cursors take turns while the block lasts."""
    usual = base.SQLiteCursorWrapper
    base.SQLiteCursorWrapper = _Cursor  # type: ignore[misc]
    try:
        yield
    finally:
        base.SQLiteCursorWrapper = usual  # type: ignore[misc]
