"""The pages of rejected rows: list, fix one, download as CSV, replay."""

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.rights import for_an_account
from ingestion.errors import CannotReplay, IngestionError
from ingestion.loading import repair, replay
from ingestion.loading.repair import NotRepaired
from ingestion.parsing.dialect import Dialect, check_reading
from ingestion.parsing.readers.single import write_row
from records.errors import TooManyExports
from records.jobs import export_slots
from records.jobs.runner import queue
from records.lookups import row_or_404
from records.models import DataRecord, IngestionRun, RejectedRow, RunState, Source
from records.permissions import Action, check
from records.reject_codes import CATALOGUE, NO_DATA
from web.converters import GREATEST_ID
from web.errors import too_many
from web.keyset import InvalidCursor, page_of
from web.parameters import refusal_of_names
from web.requests import PageRequest

PAGE = 50
# A row with more columns is edited as text.
MOST_CELLS = 100
STATES = {"open": "Open", "resolved": "Replayed", "all": "All"}


class RejectedFilter(forms.Form):
    """The filters of the list; empty ones are ignored."""

    run = forms.IntegerField(required=False, min_value=1, max_value=GREATEST_ID)
    source = forms.CharField(required=False, max_length=100)
    code = forms.CharField(required=False, max_length=40)
    column = forms.CharField(required=False, max_length=255, strip=False)
    state = forms.ChoiceField(required=False, choices=list(STATES.items()))


@require_safe
def rejected(request: PageRequest) -> HttpResponse:
    """List the rejected rows, filtered by run, source, reason, column and state."""
    if sentence := refusal_of_names(request.GET, known=(*RejectedFilter.base_fields, "cursor")):
        raise BadRequest(sentence)
    form = RejectedFilter(request.GET)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {errors[0]}" for name, errors in form.errors.items()))
    said = form.cleaned_data
    rows = RejectedRow.objects.all()
    run = None
    if said["run"]:
        run = _run_or_404(said["run"])
        rows = rows.of_run(run)
    if said["source"]:
        rows = rows.of_source(said["source"])
    state = said["state"] or "open"
    rows = rows.in_state(state)
    reasons = rows.order_by().values("code").annotate(rows=Count("pk")).order_by("-rows", "code")
    counts = list(reasons) if run else []
    for name in ("code", "column"):
        if said[name]:
            rows = rows.filter(**{name: said[name]})
    try:
        page = page_of(
            rows.select_related("run__source", "resolved_by"),
            cursor=request.GET.get("cursor"),
            limit=PAGE,
        )
    except InvalidCursor as error:
        raise BadRequest(str(error)) from error
    context = {
        "page": page,
        "said": said | {"state": state},
        "run": run,
        "can_replay": run is not None and RejectedRow.objects.of_run(run).open().exists(),
        "counts": counts,
        # The open rows of the run that seem to be no data, by reason.
        "no_data": [reason for reason in counts if reason["code"] in NO_DATA]
        if state == "open"
        else [],
        "states": STATES,
        "sources": Source.objects.names(),
    }
    return render(request, "ingestion/rejected.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rejected_row(request: PageRequest, pk: int) -> HttpResponse:
    """Fix one rejected row: it is replayed on saving, or the page says why it can't be."""
    rows = RejectedRow.objects.select_related("run__source", "run__parent")
    row = row_or_404(rows, pk, "rejected row")
    text, error = replay.text_of(row), ""
    if request.method == "POST":
        check(request.user, Action.REPLAY)
        if row.resolved_by_id is not None:
            raise BadRequest("This row has already been replayed.")
        text = _posted(request, row)
        try:
            return _replayed(request, row, text)
        except NotRepaired as fault:
            error = str(fault)
    context = {
        "row": row,
        "text": text,
        "cells": None if "text" in request.GET else _cells(row, text),
        "error": error,
        # The record may have been deleted since.
        "is_there": row.record_id and DataRecord.objects.find(row.record_id) is not None,
    }
    return render(request, "ingestion/rejected_row.html", context, status=400 if error else 200)


@require_POST
def replay_run(request: PageRequest, pk: int) -> HttpResponse:
    """Queue a replay of all open rows of a run, in another ``encoding`` if one is given.

    With a ``code``, of those with this reject code: rows that are no data are imported so.
    """
    check(request.user, Action.REPLAY)
    run = _run_or_404(pk)
    code = request.POST.get("code", "")
    if code and code not in CATALOGUE:
        raise BadRequest("Unknown reason. Choose one from the list.")
    try:
        reading = check_reading({"encoding": request.POST.get("encoding", "").strip()})
        made = replay.create_replay(
            run=run,
            trigger="page",
            user=request.user,
            code=code,
            encoding=reading.get("encoding", ""),
        )
    except IngestionError as error:
        messages.error(request, str(error))
        return redirect(run)
    queue(made)
    messages.success(request, "Replay queued.")
    return redirect(made)


@for_an_account
@require_safe
def rejected_csv(request: PageRequest, pk: int) -> HttpResponseBase:
    """Download the open rows of a run, to be fixed in any program and uploaded again."""
    if sentence := refusal_of_names(request.GET, known=()):
        raise BadRequest(sentence)
    run = _run_or_404(pk)
    name = f"{run.source.name.replace('.', '_')}.rejected-run-{run.pk}.csv"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    try:
        slot = export_slots.take(request.user)
    except TooManyExports as error:
        return too_many(request, str(error), seconds=error.seconds)
    content = export_slots.HeldContent(map(str.encode, replay.repaired_csv(run)), slot)
    if request.method != "HEAD":
        audit.record(
            audit.Action.REJECTED_ROWS_EXPORTED,
            kind="ingestion run",
            object_id=run.pk,
            label=run,
            source=run.source.name,
        )
    return StreamingHttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition or "attachment"},
    )


def _replayed(request: PageRequest, row: RejectedRow, text: str) -> HttpResponse:
    """Repair the row. Raises NotRepaired."""
    try:
        done, is_elsewhere = repair.repair(row=row, text=text, trigger="page", user=request.user)
    except CannotReplay as error:
        messages.error(request, str(error))
        return redirect("rejected-row", row.pk)
    if is_elsewhere:
        messages.info(request, "A worker is replaying this row.")
        return redirect(done)
    if done.is_waiting:
        messages.warning(request, f"The replay is waiting. {done.waits_for}")
        return redirect(done)
    if done.state != RunState.FINISHED or not row.record_id:
        messages.error(request, done.error or "The row was rejected again.")
        return redirect(done)
    messages.success(request, f"Line {row.line:,} was imported as record {row.record_id}.")
    return redirect("rejected-row", row.pk)


def _posted(request: PageRequest, row: RejectedRow) -> str:
    if "text" in request.POST:
        return request.POST["text"].replace("\r\n", "\n")
    cells = [
        request.POST.get(f"cell-{place}", "").replace("\r\n", "\n")
        for place in range(len(row.run.columns))
    ]
    return write_row(cells, dialect=Dialect(**row.run.dialect))


def _cells(row: RejectedRow, text: str) -> list[tuple[str, str]] | None:
    """The cells of a row by column, if there are not too many for a form."""
    cells = repair.cells_of(row, text) if len(row.run.columns) <= MOST_CELLS else None
    return None if cells is None else list(cells.items())


def _run_or_404(pk: int) -> IngestionRun:
    return row_or_404(IngestionRun.objects.with_source(), pk, "run")
