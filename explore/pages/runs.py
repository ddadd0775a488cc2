"""The list of runs of both kinds, and the page of each."""

from typing import TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from ingestion.parsing.number_format import ValueCells
from records.database import disk
from records.jobs import leases, waiting
from records.jobs.liveness import lacks_worker
from records.lookups import row_or_404, source_or_404
from records.models import IngestionRun, ProcessingRun, RejectedRow, RunState
from records.permissions import Action, check
from records.rows import ROLES
from records.run_kinds import latest_runs
from records.unread_values import unread_values
from web import conditional
from web.converters import GREATEST_ID
from web.keyset import InvalidCursor, page_of
from web.requests import PageRequest, wants_part

PAGE = 50
REPLAYS = 20

Run = TypeVar("Run", IngestionRun, ProcessingRun)

CANCEL = {IngestionRun: Action.CANCEL_IMPORT, ProcessingRun: Action.CANCEL_PROCESSING}
RETRY = {IngestionRun: Action.RETRY_IMPORT, ProcessingRun: Action.RETRY_PROCESSING}


@require_safe
def runs(request: PageRequest) -> HttpResponse:
    """The list; ``?ingestion=`` and ``?processing=`` say before which run of each kind."""
    name = request.GET.get("source", "")
    source = source_or_404(name) if name else None
    before = {table: _bound(request, table) for table in ("ingestion", "processing")}
    page = latest_runs(PAGE, source=source, before=before)
    of_source = {"source": source.name} if source else {}
    context = {
        "older": urlencode(page.older | of_source) if page.older else None,
        "source": source,
        "is_first": "ingestion" not in request.GET and "processing" not in request.GET,
    }
    return conditional.with_runs(request, "explore/runs.html", context, page.runs)


def _bound(request: PageRequest, kind: str) -> int:
    text = request.GET.get(kind) or str(GREATEST_ID)
    # Longer numbers are no ids, and Python refuses to read the longest ones.
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= GREATEST_ID):
        raise BadRequest(f"“{kind}” must be the number of a run, not “{text[:50]}”.")
    return int(text)


@require_safe
def ingestion_run(request: PageRequest, pk: int) -> HttpResponse:
    """The page of an ingestion run; while it is active, htmx polls its upper part."""
    run = _run_or_404(IngestionRun, pk)
    undoing = run.undos.active().first()
    context: dict[str, object] = {
        "run": run,
        "undoing": undoing,
        "is_moving": run.is_active or undoing is not None,
        "no_worker": lacks_worker(undoing or run),
        "disk_is_full": run.is_active and disk.is_full(),
        "latest_reject": run.rejected_rows.newest() if run.rejected else None,
    }
    counts = (
        run.read,
        run.created,
        run.updated,
        run.unchanged,
        run.rejected,
        run.closed,
        run.rekeyed,
    )
    moving = (run.state, run.doing, run.bytes_read, run.size, *counts)
    undone = undoing and (undoing.state, undoing.deleted, undoing.restored, undoing.kept)
    waiting = (run.waits_for, str(run.retry_at), undoing and undoing.waits_for)
    context["tag"] = conditional.tag_of(
        *moving, undone, *waiting, context["no_worker"], context["disk_is_full"]
    )
    if wants_part(request):
        return _progress(request, "explore/_ingestion_progress.html", context)
    try:
        page = page_of(run.rejected_rows.all(), cursor=request.GET.get("cursor"), limit=PAGE)
    except InvalidCursor as error:
        raise BadRequest(str(error)) from error
    context["replays"] = run.replays.order_by("pk")[:REPLAYS]
    context["undo"] = run.undos.filter(state=RunState.FINISHED).first()
    context["failed_undo"] = run.undos.first() if not (context["undo"] or undoing) else None
    # Rows that a replay has rejected again are open as well.
    context["open_rejects"] = RejectedRow.objects.of_run(run).open().count()
    context["has_receipt"] = run.receipts.filter(undo=None).exists()
    context["values"] = ValueCells.from_json(run.value_cells)
    context["mapping"] = [(title, run.mapping.get(role) or []) for role, title in ROLES.items()]
    return render(request, "explore/ingestion_run.html", context | {"rejected": page})


@require_safe
def processing_run(request: PageRequest, pk: int) -> HttpResponse:
    """The page of a processing run; while it is active, htmx polls its upper part."""
    run = _run_or_404(ProcessingRun, pk)
    context: dict[str, object] = {
        "run": run,
        "is_moving": run.is_active,
        "no_worker": lacks_worker(run),
        "disk_is_full": run.is_active and disk.is_full(),
    }
    counts = (run.total, run.processed, run.failed, run.repaired, run.unchanged)
    waiting = (run.waits_for, str(run.retry_at), context["no_worker"], context["disk_is_full"])
    context["tag"] = conditional.tag_of(run.state, run.doing, *counts, *waiting)
    if wants_part(request):
        return _progress(request, "explore/_processing_progress.html", context)
    if run.unread:
        context["unread_values"] = unread_values(run.source.name if run.source else None)
    return render(request, "explore/processing_run.html", context)


@require_POST
def cancel_ingestion(request: PageRequest, pk: int) -> HttpResponse:
    """Cancel an ingestion run."""
    return _cancel(request, _run_or_404(IngestionRun, pk))


@require_POST
def cancel_processing(request: PageRequest, pk: int) -> HttpResponse:
    """Cancel a processing run."""
    return _cancel(request, _run_or_404(ProcessingRun, pk))


@require_POST
def retry_ingestion(request: PageRequest, pk: int) -> HttpResponse:
    """Retry a waiting ingestion run now."""
    return _retry(request, _run_or_404(IngestionRun, pk))


@require_POST
def retry_processing(request: PageRequest, pk: int) -> HttpResponse:
    """Retry a waiting processing run now."""
    return _retry(request, _run_or_404(ProcessingRun, pk))


def _cancel(request: PageRequest, run: Run) -> HttpResponse:
    check(request.user, CANCEL[type(run)])
    if leases.stop(run):
        messages.success(request, "Run cancelled. What it has done so far is kept.")
    else:
        messages.info(request, "The run has already ended.")
    return redirect(run)


def _retry(request: PageRequest, run: Run) -> HttpResponse:
    check(request.user, RETRY[type(run)])
    if waiting.retry(run):
        messages.success(request, "Retrying the run now.")
    else:
        messages.info(request, "The run is no longer waiting.")
    return redirect(run)


def _progress(request: PageRequest, template: str, context: dict[str, object]) -> HttpResponse:
    """The part of a run's page that refreshes; once the run has ended, the whole page does."""
    if not context["is_moving"]:
        return HttpResponseClientRefresh()
    return conditional.unless_same(
        request,
        str(context["tag"]),
        lambda: render(request, template, context | {"is_part": True}),
    )


def _run_or_404(model: type[Run], pk: int) -> Run:
    return row_or_404(model.objects.with_source(), pk, "run")
