"""Calls a function that reads a whole file in a process with limits. Pure: no Django, no tables."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypeVar

from ingestion.errors import UnreadableInput
from ingestion.parsing.isolated import ApartError, Busy, call_apart
from ingestion.parsing.isolation import is_limited
from ingestion.parsing.limits import MAX_BOOK_MEMORY, MAX_BOOK_SECONDS

T = TypeVar("T")

# How often ``on_chunk`` is called while the other process reads.
WAIT_SECONDS = 1.0


def read_apart(
    function: Callable[..., T],
    *,
    name: str,
    what: str,
    advice: str,
    on_chunk: Callable[[], None],
    **arguments: Any,
) -> T:
    """What the function returns. ``what`` the file is, and ``advice`` for one that can't be read,
    are for the message. Raises UnreadableInput."""
    # A preview has a process with limits already.
    if is_limited():
        return function(**arguments)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(
            lambda: call_apart(
                function,
                seconds=MAX_BOOK_SECONDS,
                memory=MAX_BOOK_MEMORY,
                waiting=MAX_BOOK_SECONDS,
                **arguments,
            )
        )
        while True:
            try:
                return call.result(timeout=WAIT_SECONDS)
            except NotYet:
                on_chunk()
            except Busy as error:
                raise UnreadableInput(
                    name, f"other {what}s are being read. Import it again later."
                ) from error
            except ApartError as error:
                raise UnreadableInput(
                    name,
                    f"the {what} is damaged, or takes more than "
                    f"{MAX_BOOK_MEMORY:,} bytes of memory or {MAX_BOOK_SECONDS:,.0f} seconds "
                    f"to read. {advice}",
                ) from error
