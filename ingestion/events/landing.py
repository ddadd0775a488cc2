"""Lands the events of requests in one transaction; each request is told what became of its own."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from ingestion.errors import KeyReused, SourceBusy
from ingestion.events import runs
from ingestion.events.rows import (
    Sent,
    chunk_of,
    columns_of,
    own_ids,
    with_duplicates,
    within_limit,
)
from ingestion.loading.run_input import row_mapper
from ingestion.loading.runs import record_start
from ingestion.parsing.batches import mapped_batch
from records import store
from records.models import IdempotencyKey, IngestionRun, OnConflict, Source
from records.rows import by_column


class Answer(NamedTuple):
    """What has become of the events of a request, in their order, and the run that they are in.

    ``is_repeated`` says that an earlier request with the same key has sent them.
    """

    run: IngestionRun
    outcomes: list[dict[str, Any]]
    is_repeated: bool = False


def land_together(requests: Sequence[Sent]) -> list[Answer | KeyReused]:
    """Land the events of requests of one user to one source, no two of which have the same key.

    All are committed, or none. Raises SourceBusy, LeaseLost, InvalidSourceName, what ``prepare``
    does, PermissionDenied, and IntegrityError if another process commits one of the keys first.
    """
    name, user = requests[0].source, requests[0].user
    answers: dict[int, Answer | KeyReused] = {}
    with transaction.atomic():
        source = runs.held_source(name)
        active = runs.active_runs(source, user)
        is_busy = any(run.is_rekey for run in active)
        if is_busy:
            runs.end_all(source)
        else:
            answers = _known(user, requests)
            new = [place for place in range(len(requests)) if place not in answers]
            if new:
                landed = _landed(source, user, active, [requests[place] for place in new])
                answers |= dict(zip(new, landed, strict=True))
    if is_busy:
        raise SourceBusy(name)
    return [answers[place] for place in range(len(requests))]


def _known(user: User, requests: Sequence[Sent]) -> dict[int, Answer | KeyReused]:
    """The answers to requests whose key was used before, by their places."""
    places = {request.key: place for place, request in enumerate(requests) if request.key}
    found: dict[int, Answer | KeyReused] = {}
    if not places:
        return found
    used = IdempotencyKey.objects.filter(user=user, key__in=places).select_related("run__source")
    for known in used:
        place = places[known.key]
        if known.fingerprint != requests[place].fingerprint:
            found[place] = KeyReused(known.key)
            continue
        batch = known.run.outcomes.filter(position__lte=known.first).latest("position")
        last = known.first + (known.rows or 0)
        rows = [each for each in batch.parsed() if known.first < each["line"] <= last]
        own = own_ids(known.run.source.name, chunk_of([requests[place]], first=known.first + 1))
        found[place] = Answer(known.run, with_duplicates(rows, own), is_repeated=True)
    return found


def _landed(
    source: Source, user: User, active: Sequence[IngestionRun], requests: Sequence[Sent]
) -> list[Answer]:
    """Land new requests in the open run; what became of the events of each."""
    texts = [event.text for request in requests for event in request.events]
    run, is_new = runs.current_run(source, user, active, texts)
    position = run.read
    chunk = within_limit(chunk_of(requests, first=position + 1), run.columns)
    firsts = [position]
    for request in requests:
        firsts.append(firsts[-1] + len(request.events))
    keys = list(
        chain.from_iterable(
            request.made_keys(run.pk, first + 1)
            for request, first in zip(requests, firsts, strict=False)
        )
    )
    mapper = row_mapper(run, lambda digest: 1, made_key=lambda line: keys[line - position - 1])
    batch = mapped_batch(chunk, mapper, keep_raw=source.on_conflict == OnConflict.REJECT)
    told: list[dict[str, Any]] = []
    # Only a request with a key can ask again.
    run.keeps_outcomes = any(request.key for request in requests)
    store.land(
        run=run,
        worker=runs.WORKER,
        rows=batch.rows,
        rejects=batch.rejects,
        position=position,
        bytes_read=run.bytes_read + sum(map(len, texts)),
        hold_seconds=settings.EVENTS_IDLE_SECONDS,
        told=told,
    )
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            user=user,
            key=request.key,
            fingerprint=request.fingerprint,
            run=run,
            first=first,
            rows=len(request.events),
        )
        for request, first in zip(requests, firsts, strict=False)
        if request.key
    )
    landed_lines = set(by_column(batch.rows).lines) if batch.rows else set()
    runs.note_columns(run, columns_of(chunk, landed_lines, run.columns))
    if mapper.first_unreadable is not None:
        runs.note_unreadable(run, mapper.first_unreadable)
    if is_new:
        record_start(run)
    told = with_duplicates(told, own_ids(source.name, chunk))
    return [
        Answer(run, told[first - position : first - position + len(request.events)])
        for request, first in zip(requests, firsts, strict=False)
    ]
