"""Writes batches in order: one after the other, or on two connections at once."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection

from ingestion.parsing.batches import Batch
from records.database import bulk
from records.database.sessions import name_session
from records.rows import Ledger
from records.store import Turn

# Writes a batch; gets its turn as an argument if another one is written at the same time.
Land = Callable[[Batch, Turn | None], Ledger]
Landed = Iterator[tuple[Batch, Ledger]]

# PostgreSQL has a process for each connection.
CONNECTIONS = 2


@contextmanager
def landing(batches: Iterator[Batch], land: Land, worker: str) -> Iterator[Landed]:
    """Yield the batches with their ledgers; each is committed once the one before was consumed.

    On PostgreSQL two batches are written at the same time, but they become visible one after the
    other. An empty batch is passed on unchanged. The sessions belong to ``worker``.
    """
    # A transaction of the caller belongs to one connection.
    if bulk.is_postgresql() and not connection.in_atomic_block:
        lanes = _Lanes(land, worker)
        try:
            yield lanes.landed(batches)
        finally:
            lanes.close()
    else:
        yield ((batch, land(batch, None) if batch else Ledger()) for batch in batches)


class _Waiting(NamedTuple):
    batch: Batch
    ledger: Future[Ledger]
    is_next: threading.Event


class _Stopped(Exception):
    """The pipeline was stopped before this batch."""


class _Lanes:
    def __init__(self, land: Land, worker: str) -> None:
        self._land = land
        # One thread each, since a connection belongs to its thread.
        self._lanes = [ThreadPoolExecutor(1, "landing") for _ in range(CONNECTIONS)]
        for lane in self._lanes:
            lane.submit(name_session, worker)
        self._waiting: deque[_Waiting] = deque()
        self._stopped = False

    def landed(self, batches: Iterator[Batch]) -> Landed:
        for batch in batches:
            if not batch:
                yield batch, Ledger()
                continue
            self._start(batch)
            if len(self._waiting) == CONNECTIONS:
                yield from self._first()
        while self._waiting:
            yield from self._first()

    def _start(self, batch: Batch) -> None:
        is_next = threading.Event()
        if not self._waiting:
            is_next.set()
        apart = all(batch.is_apart_from(other.batch) for other in self._waiting)
        turn = Turn(lambda seconds: self._wait(is_next, seconds), apart)
        # The lane whose last batch is finished.
        lane = self._lanes[0]
        self._lanes = [*self._lanes[1:], lane]
        self._waiting.append(_Waiting(batch, lane.submit(self._land, batch, turn), is_next))

    def _wait(self, is_next: threading.Event, seconds: float | None) -> bool:
        has_come = is_next.wait(seconds)
        if self._stopped:
            raise _Stopped
        return has_come

    def _first(self) -> Landed:
        first = self._waiting[0]
        yield first.batch, first.ledger.result()
        self._waiting.popleft()
        if self._waiting:
            self._waiting[0].is_next.set()

    def close(self) -> None:
        """Let started batches finish, and drop the rest."""
        self._stopped = True
        for waiting in self._waiting:
            waiting.is_next.set()
        for lane in self._lanes:
            lane.submit(lambda: connection.close())
            lane.shutdown()
