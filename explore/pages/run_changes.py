"""The page of what an ingestion run has created, updated, closed and reopened."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from explore.run_changes import Kind, RecordChange, page_of_changes
from records.lookups import row_or_404
from records.models import IngestionRun
from web.keyset import InvalidCursor
from web.requests import PageRequest
from web.statement_timeout import LIST_SECONDS, TookTooLong, at_most

PAGE = 50
# How many columns of a created record, and changed cells of an updated one, are shown: the page of
# the record has them all.
COLUMNS = 12
CELLS = 100
KINDS = [str(kind) for kind in Kind]


@require_safe
def run_changes(request: PageRequest, pk: int) -> HttpResponse:
    """The records of one kind; ``?kind=`` says which."""
    run = row_or_404(IngestionRun.objects.with_source(), pk, "run")
    name = request.GET.get("kind") or ("updated" if run.updated else "created")
    if name not in KINDS:
        raise BadRequest(f"“kind” must be one of {', '.join(KINDS)}, not “{name[:50]}”.")
    context: dict[str, object] = {
        "run": run,
        "kind": name,
        "kinds": [(kind, getattr(run, kind)) for kind in KINDS if _is_offered(run, kind)],
        "columns": run.columns[:COLUMNS],
        "shown_cells": CELLS,
    }
    status = 200
    try:
        with at_most(LIST_SECONDS):
            cursor = request.GET.get("cursor")
            page = page_of_changes(run, Kind(name), cursor=cursor, limit=PAGE)
    except InvalidCursor as error:
        raise BadRequest(str(error)) from error
    except TookTooLong as error:
        context["too_long"] = str(error)
        status = 503
    else:
        context["page"] = page
        context["rows"] = [(change, _cells(change, run)) for change in page.records]
    return render(request, "explore/run_changes.html", context, status=status)


def _is_offered(run: IngestionRun, kind: str) -> bool:
    """Whether the page links to changes of a kind: few sources ever close records."""
    return kind in (Kind.CREATED, Kind.UPDATED) or bool(getattr(run, kind))


def _cells(change: RecordChange, run: IngestionRun) -> list[object]:
    """The first cells of what a record holds after a change; None where it lacks the column."""
    return [change.after.data.get(column) for column in run.columns[:COLUMNS]]
