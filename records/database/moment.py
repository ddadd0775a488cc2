"""Reading as of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from records.database import bulk


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that reads everything as of its beginning, and does not keep others waiting.

    Nothing is written in it. Inside a transaction of the caller, that one is used as it is.
    """
    if connection.in_atomic_block:
        yield
        return
    if bulk.is_postgresql():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    sqlite: Any = connection
    # A transaction would otherwise take the lock of who writes.
    sqlite.ensure_connection()
    mode, sqlite.transaction_mode = sqlite.transaction_mode, "DEFERRED"
    try:
        with transaction.atomic():
            yield
    finally:
        sqlite.transaction_mode = mode
