"""The page that asks for confirmation before a run is undone."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ingestion.errors import CannotUndo
from ingestion.loading import undo
from records.jobs.runner import queue
from records.lookups import row_or_404
from records.models import IngestionRun
from records.permissions import Action, check
from web.requests import PageRequest


@require_http_methods(["GET", "HEAD", "POST"])
def undo_run(request: PageRequest, pk: int) -> HttpResponse:
    """Show what an undo does, and queue it once it is confirmed."""
    check(request.user, Action.UNDO_IMPORT)
    run = row_or_404(IngestionRun.objects.with_source(), pk, "run")
    if request.method == "POST":
        try:
            made = undo.create_undo(run=run, trigger="page", user=request.user)
        except CannotUndo as error:
            messages.error(request, str(error))
        else:
            queue(made)
            messages.success(request, "Undo queued. This page shows when it is done.")
        return redirect(run)
    seen = undo.preview(run)
    if seen.obstacle:
        messages.error(request, seen.obstacle)
        return redirect(run)
    context = {"run": run, "later": seen.later, "feed": seen.feed}
    return render(request, "ingestion/undo.html", context)
