"""Counts of requests, which the processes share by the cache that is theirs together.

Each client has a bucket, which a request fills by one and which empties at a steady rate: a full
one refuses requests. A process counts in memory, so that a request costs microseconds and waits
for no lock. It adds up with the others in a thread of its own. So a client may send somewhat more
than its limit: in each further process what it sends there before the next addition.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.db import DatabaseError, connections, transaction

logger = logging.getLogger(__name__)

# A client that was quiet may send at once what it may send in so many seconds.
BURST_SECONDS = 5
ADDITION_SECONDS = 0.5
# What a client sends to a process is told to the others by shares of a full bucket.
TOLD_SHARE = 0.1
# Refusals of a client are logged once in so many seconds.
LOGGED_SECONDS = 60
# Buckets of this process. Those that are empty are thrown away before there are more.
MOST_BUCKETS = 10_000


@dataclass(slots=True)
class Bucket:
    """The requests of a client that count, as of a time, and which of them others don't know."""

    rate: int
    at: float
    level: float = 0.0
    untold: int = 0
    logged_at: float = 0.0

    @property
    def size(self) -> int:
        return self.rate * BURST_SECONDS

    def empty_until(self, now: float) -> None:
        self.level = max(self.level - self.rate * max(now - self.at, 0.0), 0.0)
        self.at = now


class Counts:
    """The buckets of all clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}
        self._most = MOST_BUCKETS
        self._to_tell: set[str] = set()
        self._is_adding = False

    def seconds_over(self, client: str, *, rate: int) -> int:
        """Count a request; 0 if it is within ``rate`` a second, else when to try again.

        A rate of 0 is no limit. Requests that are refused don't count.
        """
        if not rate:
            return 0
        now = time.time()
        with self._lock:
            bucket = self._buckets.get(client) or self._new(client, rate, now)
            bucket.empty_until(now)
            if bucket.level + 1 > bucket.size:
                if now - bucket.logged_at >= LOGGED_SECONDS:
                    bucket.logged_at = now
                    logger.warning(
                        "Refused: %s sends more than %d requests a second.", client, rate
                    )
                return math.ceil((bucket.level + 1 - bucket.size) / rate)
            bucket.level += 1
            bucket.untold += 1
            if bucket.untold >= bucket.size * TOLD_SHARE:
                self._to_tell.add(client)
                if not self._is_adding:
                    self._is_adding = True
                    threading.Thread(target=self._add_later, daemon=True).start()
        return 0

    def _new(self, client: str, rate: int, now: float) -> Bucket:
        if len(self._buckets) >= self._most:
            for bucket in self._buckets.values():
                bucket.empty_until(now)
            self._buckets = {each: found for each, found in self._buckets.items() if found.level}
            self._most = max(MOST_BUCKETS, 2 * len(self._buckets))
        return self._buckets.setdefault(client, Bucket(rate, now))

    def _add_later(self) -> None:
        time.sleep(ADDITION_SECONDS)
        try:
            self.add()
        except DatabaseError as error:
            logger.warning("Requests are not counted together with other processes: %s", error)
        finally:
            self._is_adding = False
            connections.close_all()

    def add(self) -> None:
        """Tell the other processes what was counted here, and learn what they have counted."""
        with self._lock:
            to_tell = [(each, self._buckets[each]) for each in self._to_tell & self._buckets.keys()]
            self._to_tell.clear()
        for client, bucket in to_tell:
            key, untold, now = f"requests:{client}", bucket.untold, time.time()
            # On SQLite, a transaction keeps others from adding at the same time; on PostgreSQL, of
            # two that add within the same millisecond one may be lost.
            with transaction.atomic():
                shared = Bucket(bucket.rate, *cache.get(key, (now, 0.0)))
                shared.empty_until(now)
                shared.level += untold
                cache.set(key, (now, shared.level), timeout=2 * BURST_SECONDS)
            with self._lock:
                bucket.untold -= untold
                bucket.at, bucket.level = now, shared.level + bucket.untold


counts = Counts()
