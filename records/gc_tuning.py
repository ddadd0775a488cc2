"""Tunes the interpreter for work on millions of rows. Pure."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Objects that come before the youngest are looked through; Python's own 700 are a few rows.
YOUNG_OBJECTS = 200_000
# Seconds that a thread may keep the interpreter from another; Python's own are ten times as many.
SWITCH = 0.0005


@contextmanager
def tuned_gc() -> Iterator[None]:
    """Have the whole process work for rows.

    Garbage that holds itself is looked for seldom: rows don't refer to each other and go by
    themselves, and looking through them all the time takes as long as making them. And a thread
    that has had an answer from the database soon gets on, though another makes the next rows.
    """
    threshold, switch = gc.get_threshold(), sys.getswitchinterval()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *threshold[1:])
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*threshold)
        gc.unfreeze()
