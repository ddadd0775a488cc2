"""Exports that workers make: large files of the formats that can't stream.

An export is a piece of work like a run: claimed with a lease, made anew by the next worker if its
own is gone. Its person downloads it while it is kept.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict

from accounts import audit
from accounts.rights import check_sees_all_of, granted_sources
from explore.export.files import export as export_file
from explore.export.request import Asked, asked_for
from explore.export.trail import record_export
from records.database.clock import now
from records.database.faults import environment_fault
from records.errors import ExportError, TooManyExports
from records.jobs.job import Job
from records.jobs.runner import queue, wake
from records.models import Export
from records.visible_sources import limited_to

log = logging.getLogger(__name__)

# How often it is noted how far an export is.
NOTE_SECONDS = 1.0
RETRY_SECONDS = 60


def start(asked: Asked, *, user: User, trigger: str) -> Export:
    """Have a worker make a file; one that waits or is being made for the same person is taken.

    Raises TooManyExports where too many of this person's wait already, and PermissionDenied for
    tokens that are limited to some of the person's sources.
    """
    check_sees_all_of(user)
    with transaction.atomic():
        # One request at a time of each person: none goes past the limit beside another.
        User.objects.select_for_update().get(pk=user.pk)
        waiting = list(Export.objects.filter(user=user).active())
        for export in waiting:
            if export.query == asked.query:
                return export
        if len(waiting) >= settings.EXPORTS_WAITING:
            raise TooManyExports(
                f"You already have {len(waiting)} exports in progress, which is the limit. Wait "
                "for one to finish, or cancel one.",
                seconds=RETRY_SECONDS,
            )
        made = Export.objects.create(query=asked.query, user=user, trigger=trigger)
        record_export(audit.Action.EXPORT_STARTED, made)
    queue(made)
    return made


class MakeExport(Job[Export]):
    """Make the file of an export. Each person has one export made at a time."""

    refusals = (ExportError,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._done, self._noted_at = 0, float("-inf")

    def run(self) -> None:
        # Of what its person may see by now, who may have left.
        user = self.row.user
        with limited_to(granted_sources(user) if user is not None else ()):
            self._run()

    def _run(self) -> None:
        export = self.row
        part = settings.EXPORT_DIR / f"{export.pk}.{secrets.token_hex(8)}.part"
        try:
            self._make(part)
        finally:
            with suppress(OSError):
                part.unlink()

    @classmethod
    def claim(cls, row: Export, worker: str) -> Export | None:
        return super().claim(row, worker) if cls.is_next(row) else None

    @classmethod
    def is_next(cls, row: Export) -> bool:
        """Whether this is the oldest export of its owner that has not ended."""
        return not Export.objects.filter(user=row.user_id, pk__lt=row.pk).active().exists()

    def after_run(self) -> None:
        """Start the next export of the same person."""
        for other in Export.objects.filter(user=self.row.user_id).active().order_by("pk")[:1]:
            wake(other)

    @classmethod
    def tidy(cls) -> None:
        tidy()

    def _make(self, part: Path) -> None:
        export = self.row
        asked = asked_for(QueryDict(export.query))
        # Nothing can be noted, on SQLite, while records are read: so the lease is to last that
        # long.
        self._note_progress(total=None)
        file = export_file(
            asked.records,
            options=asked.options,
            seconds=settings.EXPORT_SECONDS,
            is_spooled=True,
            expect=lambda total: self._note_progress(total=total),
            progress=lambda count: self._note_progress(count),
        )
        try:
            _write(file.content, part, self._note_progress)
            size = part.stat().st_size
            part.replace(export.path)
        except OSError as error:
            if environment_fault(error):
                raise
            raise ExportError(f"The file can't be written: {error.strerror}.") from error
        self.finish(
            done=file.total,
            total=file.total,
            file_name=file.name,
            media_type=file.media_type,
            size=size,
            expires_at=now() + timedelta(seconds=settings.EXPORT_KEEP_SECONDS),
        )

    def _note_progress(self, count: int = 0, **changes: int | None) -> None:
        """Add ``count`` records to the progress, at most once a second, and renew the lease.

        The lease lasts as long as an export may take, because reading the records and packing a
        workbook report no progress. A process of this machine that has ended is noticed at once.
        Raises LeaseLost if the export was cancelled or taken over.
        """
        self._done += count
        if changes or time.monotonic() - self._noted_at >= NOTE_SECONDS:
            self._noted_at = time.monotonic()
            lease_end = now() + timedelta(seconds=settings.EXPORT_SECONDS)
            self.record_progress(done=self._done, lease_until=lease_end, **changes)


def remove(export: Export) -> None:
    """Forget an export, and remove its file; the worker that makes it leaves it."""
    with transaction.atomic():
        record_export(audit.Action.EXPORT_DELETED, export)
        export.delete()
    export.path.unlink(missing_ok=True)


def tidy() -> None:
    """Remove exports that have expired or belong to nobody, and files that belong to no export."""
    moment = now()
    oldest = moment - timedelta(seconds=settings.EXPORT_KEEP_SECONDS)
    over = Q(expires_at__lt=moment) | Q(expires_at=None, finished_at__lt=oldest) | Q(user=None)
    try:
        for export in Export.objects.filter(over):
            export.delete()
            export.path.unlink(missing_ok=True)
        for path in settings.EXPORT_DIR.glob("*"):
            _remove_unless_known(path, oldest)
    except OSError as error:
        log.warning("Exports that have expired can't be removed: %s", error)


def _write(content: Iterable[bytes], path: Path, note: Callable[[], None]) -> None:
    """Write a file that only the user of the server may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as out:
        path.chmod(0o600)
        for piece in content:
            out.write(piece)
            note()


def _remove_unless_known(path: Path, oldest: datetime) -> None:
    """Remove a file of the folder that no export has, or that a worker has left unfinished."""
    number, _, rest = path.name.partition(".")
    if rest:
        is_known = path.stat().st_mtime > oldest.timestamp()
    else:
        is_known = number.isdigit() and Export.objects.filter(pk=int(number)).exists()
    if not is_known:
        path.unlink(missing_ok=True)
