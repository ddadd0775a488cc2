"""Exports that workers make: workbooks, which keep a processor busy for minutes.

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

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django_q.tasks import async_task

from explore.export.files import export as export_file
from explore.export.request import Asked, asked_for
from records.database.clock import now
from records.database.faults import environment_fault
from records.errors import ExportError, LeaseLost, TooManyExports
from records.jobs import runs
from records.jobs.workers import worker_name
from records.models import Export

log = logging.getLogger(__name__)

QUEUE = "processing"
# How often it is noted how far an export is.
NOTE_SECONDS = 1.0
RETRY_SECONDS = 60


def start(asked: Asked, *, user: User, how: str) -> Export:
    """Have a worker make a file; one that waits or is being made for the same person is taken.

    Raises TooManyExports where too many of this person's wait already.
    """
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
        made = Export.objects.create(query=asked.query, user=user, how=how, woken_at=now())
    wake(made)
    return made


def wake(export: Export) -> None:
    """Tell a worker to look at an export."""
    async_task("explore.export.jobs.look_at", export.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for each export whose turn it is, and that waits or whose worker is gone."""
    for export in runs.stalled(Export):
        if _is_next(export):
            wake(export)


def look_at(export_id: int) -> None:
    """What a worker does when it is woken. It may come twice."""
    carry_out(export_id, worker_name())


def carry_out(export_id: int, worker: str) -> Export | None:
    """Make the file of an export; None if another worker holds it, it has ended, or an earlier one
    of the same person comes first."""
    export = Export.objects.filter(pk=export_id).first()
    if export is None or not _is_next(export):
        return None
    export = runs.claim(Export, export_id, worker)
    if export is None:
        return None
    part = settings.EXPORT_DIR / f"{export.pk}.{secrets.token_hex(8)}.part"
    try:
        with runs.working_on(export, worker, refusals=(ExportError,)):
            _make(export, worker, part)
    finally:
        with suppress(OSError):
            part.unlink()
    for other in Export.objects.filter(user=export.user_id).active().order_by("pk")[:1]:
        wake(other)
    return Export.objects.filter(pk=export_id).first()


def remove(export: Export) -> None:
    """Forget an export, and remove its file; the worker that makes it leaves it."""
    export.delete()
    export.path.unlink(missing_ok=True)


def tidy() -> None:
    """Remove exports that have expired or belong to nobody, and files that belong to no export."""
    moment = now()
    oldest = moment - timedelta(seconds=settings.EXPORT_KEEP_SECONDS)
    over = Q(expires_at__lt=moment) | Q(expires_at=None, finished_at__lt=oldest) | Q(user=None)
    try:
        for export in Export.objects.filter(over):
            remove(export)
        for path in settings.EXPORT_DIR.glob("*"):
            _remove_unless_known(path, oldest)
    except OSError as error:
        log.warning("Exports that have expired can't be removed: %s", error)


def _make(export: Export, worker: str, part: Path) -> None:
    asked = asked_for(QueryDict(export.query))
    note = _notes(export, worker)
    # Nothing can be noted, on SQLite, while records are read: so the lease is to last that long.
    note(total=None)
    file = export_file(
        asked.records,
        kind=asked.kind,
        raw=asked.raw,
        packed=asked.packed,
        seconds=settings.EXPORT_SECONDS,
        is_spooled=True,
        expect=lambda total: note(total=total),
        progress=lambda count: note(count),
    )
    try:
        _write(file.content, part, note)
        size = part.stat().st_size
        part.replace(export.path)
    except OSError as error:
        if environment_fault(error):
            raise
        raise ExportError(f"The file can't be written: {error.strerror}.") from error
    runs.finish(
        export,
        worker,
        done=file.total,
        total=file.total,
        file_name=file.name,
        media_type=file.media_type,
        size=size,
        expires_at=now() + timedelta(seconds=settings.EXPORT_KEEP_SECONDS),
    )


def _write(content: Iterable[bytes], path: Path, note: Callable[[], None]) -> None:
    """Write a file that only the user of the server may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as out:
        path.chmod(0o600)
        for piece in content:
            out.write(piece)
            note()


def _notes(export: Export, worker: str) -> Callable[..., None]:
    """Notes how many records more are done and keeps the lease, as often as is of use.

    It raises LeaseLost when the export was cancelled, or taken over.
    """
    done, last = 0, float("-inf")

    def note(count: int = 0, **changes: int | None) -> None:
        nonlocal done, last
        done += count
        if changes or time.monotonic() - last >= NOTE_SECONDS:
            last = time.monotonic()
            held = runs.held(export, worker)
            if not held.update(done=done, lease_until=_lease_end(), **changes):
                raise LeaseLost(export)

    return note


def _lease_end() -> datetime:
    """Nothing tells how far the reading of records and the packing of a workbook are: the lease of
    an export lasts for either. A process of the same machine that is gone is noticed at once."""
    return now() + timedelta(seconds=settings.EXPORT_SECONDS)


def _is_next(export: Export) -> bool:
    """Whether it is the first of its person: one of each is made at a time."""
    return not Export.objects.filter(user=export.user_id, pk__lt=export.pk).active().exists()


def _remove_unless_known(path: Path, oldest: datetime) -> None:
    """Remove a file of the folder that no export has, or that a worker has left unfinished."""
    number, _, rest = path.name.partition(".")
    if rest:
        is_known = path.stat().st_mtime > oldest.timestamp()
    else:
        is_known = number.isdigit() and Export.objects.filter(pk=int(number)).exists()
    if not is_known:
        path.unlink(missing_ok=True)
