"""Imports of items that a request holds, while its sender waits: a run like that of a file."""

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from ingestion.errors import KeyReused
from ingestion.loading import inputs, runs
from ingestion.parsing.items import Items
from records.database.clock import now
from records.jobs.runner import work_on
from records.jobs.workers import worker_name
from records.models import IdempotencyKey, IngestionRun, RowOutcomes

# The items of a request are NDJSON in UTF-8, whatever the source's files are like.
READING = {"format": "ndjson", "encoding": "utf-8"}
# How many seconds a request waits for a database that can't be written to, and for a worker that
# has its run. After that the run goes on without it.
RETRY_SECONDS = 5
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.05
# How long keys and outcomes are kept, at least.
KEPT_FOR = timedelta(hours=48)


class Imported(NamedTuple):
    """The run of a request, as it stands, and whether an earlier request has started it."""

    run: IngestionRun
    is_repeated: bool


def import_items(
    *,
    items: Items,
    source_name: str,
    user: User,
    options: Mapping[str, Any],
    key: str = "",
) -> Imported:
    """Import items into a source as one run, and wait until it has ended.

    ``options`` are those of ``ingestion.loading.runs.create_run``. A ``key`` that the user has sent
    with the same request before leads to the run of that, and nothing more happens. The run may be
    active afterwards: something keeps it from ending now, and a worker goes on with it. Raises
    KeyReused, NoRoom, and what create_run does.
    """

    def create() -> IngestionRun:
        with inputs.taken(inputs.keep_chunks(f"{source_name}.ndjson", [items.lines])) as stored:
            return runs.create_run(
                path=stored.path,
                file_name=stored.name,
                trigger="api",
                source_name=source_name,
                user=user,
                reading=READING,
                keeps_outcomes=True,
                **options,
            )

    if not key:
        run, is_new = create(), True
    else:
        run, is_new = _once(user, key, _fingerprint(items, source_name, options), create)
    return Imported(_ended(run), not is_new)


def outcomes_of(run: IngestionRun) -> list[dict[str, Any]]:
    """What has become of each item of a run, in their order."""
    return [row for batch in run.outcomes.order_by("position") for row in batch.parsed()]


def drop_old() -> None:
    """Forget keys and outcomes that have been kept long enough."""
    until = now() - KEPT_FOR
    IdempotencyKey.objects.filter(created_at__lt=until).delete()
    # A run of events takes some for as long as it is open.
    RowOutcomes.objects.filter(run__finished_at__lt=until).delete()


def _fingerprint(items: Items, source_name: str, options: Mapping[str, Any]) -> str:
    """The digest of what a request asks for."""
    asked = orjson.dumps([source_name, options], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(asked + b"\0" + items.lines).hexdigest()


def _once(
    user: User, key: str, fingerprint: str, create: Callable[[], IngestionRun]
) -> tuple[IngestionRun, bool]:
    """The run that belongs to a key, and whether it has been created now.

    Key and run are committed together: of several requests with one key, one creates the run, and
    whatever happens to that request, the others find it.
    """
    if (known := _known(user, key, fingerprint)) is not None:
        return known, False
    try:
        with transaction.atomic():
            run = create()
            IdempotencyKey.objects.create(user=user, key=key, fingerprint=fingerprint, run=run)
    except IntegrityError:
        if (known := _known(user, key, fingerprint)) is None:
            raise
        return known, False
    return run, True


def _known(user: User, key: str, fingerprint: str) -> IngestionRun | None:
    found = IdempotencyKey.objects.filter(user=user, key=key).select_related("run__source").first()
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused(key)
    run: IngestionRun = found.run
    return run


def _ended(run: IngestionRun) -> IngestionRun:
    """The run once it has ended: worked on here, unless another process does.

    If it can't end now, it is left to the workers.
    """
    until = time.monotonic() + WAIT_SECONDS
    while run.is_active:
        if not run.is_waiting:
            work_on(run, worker_name(of_queue=False), retry_seconds=RETRY_SECONDS)
            run = IngestionRun.objects.with_source().get(pk=run.pk)
        if run.is_waiting or time.monotonic() > until:
            break
        if run.is_active:
            time.sleep(POLL_SECONDS)
    return run
