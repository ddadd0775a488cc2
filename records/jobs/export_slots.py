"""Slots: how many exports stream at once, for each person and over all web processes.

They are counted in the database, so that several processes and machines agree.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from records.database import bulk
from records.database.clock import now
from records.errors import TimeIsUp, TooManyExports
from records.jobs.workers import is_orphan, worker_name
from records.models import ExportSlot

log = logging.getLogger(__name__)

# Of the lock of PostgreSQL that has one process at a time count slots.
LOCK = 0x65787074
# Exports end at any moment: so soon it is worth while to ask again.
RETRY_SECONDS = 15


def take(user: User) -> ExportSlot:
    """A slot for an export of this person. Raises TooManyExports where none is free."""
    with transaction.atomic():
        if bulk.is_postgresql():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        slots = [slot for slot in ExportSlot.objects.all() if not _freed(slot)]
        own = sum(slot.user_id == user.pk for slot in slots)
        if own >= settings.EXPORTS_PER_USER:
            raise TooManyExports(
                f"You already have {_exports(own)} running, which is the limit. Wait for one to "
                "finish, or cancel one.",
                seconds=RETRY_SECONDS,
            )
        if len(slots) >= settings.EXPORTS_AT_ONCE:
            raise TooManyExports(
                f"The server is busy with {_exports(len(slots))}. Try again in a moment.",
                seconds=RETRY_SECONDS,
            )
        return ExportSlot.objects.create(
            user=user,
            worker=worker_name(of_queue=False),
            lease_until=now() + timedelta(seconds=settings.EXPORT_SECONDS),
        )


def free(slot: ExportSlot) -> None:
    """The export has ended. Without a database, the slot is free when its time is over."""
    try:
        ExportSlot.objects.filter(pk=slot.pk).delete()
    except DatabaseError:
        log.warning("The slot of an export could not be freed; it lapses at %s.", slot.lease_until)


class HeldContent:
    """The bytes of an export, which has a slot until they end or nobody reads on.

    Not a generator: one that is closed before its first step would free nothing.
    """

    def __init__(self, content: Iterator[bytes], slot: ExportSlot) -> None:
        self._content, self._slot = content, slot
        self._end = time.monotonic() + settings.EXPORT_SECONDS
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if time.monotonic() > self._end:
                raise TimeIsUp(settings.EXPORT_SECONDS)
            return next(self._content)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the query behind the bytes, and free the slot."""
        if not self._is_open:
            return
        self._is_open = False
        content, self._content = self._content, iter(())
        try:
            # What is no generator goes with its last reference.
            getattr(content, "close", lambda: None)()
            del content
        finally:
            free(self._slot)


def _freed(slot: ExportSlot) -> bool:
    """Whether a slot's time is over, or its process is known to be gone: it is removed then."""
    if slot.lease_until > now() and not is_orphan(slot.worker):
        return False
    slot.delete()
    return True


def _exports(number: int) -> str:
    return f"{number} export{'' if number == 1 else 's'}"
