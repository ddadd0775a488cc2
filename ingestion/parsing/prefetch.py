"""Prefetches the next items in a thread while one is used. Pure: no Django, no tables."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

# How many items are prefetched at most: enough to smooth delays, few enough for flat memory.
WAITING = 2


@contextmanager
def prefetch(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """The items, produced by a thread; its exceptions are raised where the items are used.

    The thread ends with the block: items that are left over are dropped.
    """
    # An item in a tuple, since it may be anything; an exception; None at the end.
    waiting: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(WAITING)
    stopped = threading.Event()

    def put(found: tuple[T] | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(found, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put((item,)):
                    return
        except BaseException as error:
            put(error)
        else:
            put(None)

    def use() -> Iterator[T]:
        while (found := waiting.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        yield use()
    finally:
        stopped.set()
        thread.join()
