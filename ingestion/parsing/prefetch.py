"""Has the next items made while the last one is used. Pure: no Django, no tables."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

# How many items wait at most: enough to hide unevenness, few enough for flat memory.
WAITING = 2


@contextmanager
def ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """The items, made by a thread of its own; what it raises is raised where they are used.

    It ends with the block: the items that nobody took are dropped.
    """
    # An item in a tuple, as it may be anything; what was raised; None at the end.
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
