"""The view that starts processing."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from processing.errors import UnknownSource
from processing.jobs import process
from records.jobs.runner import queue
from records.models import Selection
from records.permissions import Action, check
from web.requests import PageRequest


@require_POST
def start(request: PageRequest) -> HttpResponse:
    """Queue a pass over the records of ``source``, or of all sources; its page comes next.

    With ``reprocess`` (all, failed, changed) records are processed anew, else those that wait.
    """
    check(request.user, Action.PROCESS)
    selection = request.POST.get("reprocess") or Selection.RAW
    if selection not in Selection.values:
        raise BadRequest(f"“reprocess” must be all, failed or changed, not “{selection[:50]}”.")
    try:
        run = process.create_run(
            trigger="page",
            source_name=request.POST.get("source") or None,
            selection=Selection(selection),
            user=request.user,
        )
    except UnknownSource as error:
        raise Http404(str(error)) from error
    queue(run)
    messages.success(request, "Processing queued.")
    return redirect(run)
