"""Requests that wait at the same time land together: one transaction for all of them.

Whoever gets the lock of a lane lands what waits in it, and hands each request its answer. So the
more requests there are, the fewer transactions each of them takes.
"""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence

from django.conf import settings
from django.db import Error, IntegrityError, connection

from ingestion.errors import KeyReused, TooManyWaiting
from ingestion.events.landing import Answer, land_together
from ingestion.events.rows import Sent
from ingestion.parsing.limits import MAX_ITEMS
from records.database.faults import environment_fault
from records.errors import EnvironmentFault, LeaseLost
from records.models import IngestionRun, Source
from records.signals import landed
from records.visible_sources import check_visible

log = logging.getLogger(__name__)

# How many events of a process may wait, all lanes together.
MAX_WAITING = 5 * MAX_ITEMS
# How often requests are tried that others keep from being committed: the same key came elsewhere,
# or the run was ended.
TRIES = 3


class NotSaved(EnvironmentFault):
    """The database can't be written to, so nothing is known to be saved."""


class _Waiting:
    """A request until it has its answer, or the error that it ends with."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        self.answer: Answer | None = None
        self.error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.error is not None


class _Lane:
    """The requests of one user to one source."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.waiting: deque[_Waiting] = deque()

    def take(self) -> list[_Waiting]:
        """The next requests that can land together: as many as fit, each key once."""
        taken: list[_Waiting] = []
        keys: set[str] = set()
        events = 0
        while self.waiting:
            sent = self.waiting[0].sent
            events += len(sent.events)
            if taken and (events > MAX_ITEMS or sent.key in keys):
                break
            keys |= {sent.key} - {""}
            taken.append(self.waiting.popleft())
        return taken


class Queue:
    """What waits in this process to be saved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[tuple[str, int], _Lane] = defaultdict(_Lane)
        self._events = 0
        self._woken: dict[int, float] = {}

    def save(self, sent: Sent) -> Answer:
        """Save events, together with others that wait; returns once they are committed.

        Raises TooManyWaiting, KeyReused, NotSaved, and other errors of ``land_together``.
        """
        check_visible(sent.source)
        waiting = _Waiting(sent)
        with self._lock:
            if self._events and self._events + len(sent.events) > MAX_WAITING:
                raise TooManyWaiting
            self._events += len(sent.events)
            lane = self._lanes[sent.source, sent.user.pk]
            lane.waiting.append(waiting)
        try:
            with lane.turn:
                while not waiting.is_done:
                    with self._lock:
                        taken = lane.take()
                    _land(taken)
        finally:
            with self._lock:
                self._events -= len(sent.events)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.answer is not None  # noqa: S101 (it is done)
        if not waiting.answer.is_repeated:
            self._wake(waiting.answer.run.source)
        return waiting.answer

    def _wake(self, source: Source) -> None:
        """Have processed what has landed: now, or a moment after the last time."""
        with self._lock:
            pause = settings.EVENTS_WAKE_SECONDS
            wait = self._woken.get(source.pk, float("-inf")) + pause - time.monotonic()
            if wait > pause:
                return  # It will be.
            self._woken[source.pk] = time.monotonic() + max(wait, 0.0)
        if wait <= 0:
            _announce(source)
            return
        later = threading.Timer(wait, _announce_later, [source])
        later.daemon = True
        later.start()


def _announce(source: Source) -> None:
    try:
        landed.send(sender=IngestionRun, source=source)
    except Error:
        # The events are saved all the same, and the end of the run wakes a worker, too.
        log.exception("No worker was woken for %s.", source)


def _announce_later(source: Source) -> None:
    try:
        _announce(source)
    finally:
        connection.close()


def _land(taken: Sequence[_Waiting]) -> None:
    """Land requests and set their answers; alone where one of them keeps the others from it."""
    try:
        answers = _tried([each.sent for each in taken])
    except Exception as error:
        fault = environment_fault(error)
        if len(taken) > 1 and not fault and not isinstance(error, EnvironmentFault):
            for each in taken:
                _land([each])
            return
        for each in taken:
            each.error = NotSaved(fault) if fault else error
        return
    except BaseException:
        for each in taken:
            each.error = NotSaved("The server is shutting down.")
        raise
    for each, answer in zip(taken, answers, strict=True):
        if isinstance(answer, KeyReused):
            each.error = answer
        else:
            each.answer = answer


def _tried(requests: Sequence[Sent]) -> list[Answer | KeyReused]:
    for _ in range(TRIES - 1):
        try:
            return land_together(requests)
        except (IntegrityError, LeaseLost) as error:
            log.info("Events are landed again: %s", error)
    return land_together(requests)


queue = Queue()
