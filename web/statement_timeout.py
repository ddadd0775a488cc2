"""How long a page may keep the database busy: a question that takes longer is given up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

# What people wait for a list, and for what stands beside it.
LIST_SECONDS = 15.0
ASIDE_SECONDS = 4.0
# SQLite asks whether to go on after so many steps of its machine.
STEPS = 20_000
# PostgreSQL's code for a statement that was cancelled.
CANCELLED = "57014"


class TookTooLong(Exception):
    """The database did not answer in time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"The query was stopped after {seconds:g} seconds. Filter by source or status, or "
            "search for a more common value."
        )


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Each query inside may take so long, on SQLite all of them together. Raises TookTooLong.

    It is for reading only.
    """
    try:
        if connection.vendor == "postgresql":
            # A limit ends with its transaction: only within another one it has to be taken back.
            is_within = connection.in_atomic_block
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [round(seconds * 1000)])
                yield
                if is_within:
                    cursor.execute("SET LOCAL statement_timeout = 0")
        elif connection.allow_thread_sharing:
            # As in tests. To set a handler while another thread is reading would lock both, and
            # it would stop what others have asked.
            yield
        else:
            connection.ensure_connection()
            end = time.monotonic() + seconds
            connection.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
            try:
                yield
            finally:
                connection.connection.set_progress_handler(None, 0)
    except OperationalError as error:
        code = getattr(error.__cause__, "pgcode", None)
        if code == CANCELLED or str(error) == "interrupted":
            raise TookTooLong(seconds) from error
        raise
