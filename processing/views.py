"""The button by which processing is started."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from processing import runs
from processing.errors import UnknownSource
from records.requests import PageRequest


@require_POST
def start(request: PageRequest) -> HttpResponse:
    """Queue a pass over the raw records of ``source``, or of all sources; its page comes next."""
    if not request.user.has_perm("records.add_processingrun"):
        raise PermissionDenied(
            "You may look at records, but not process them. Ask an administrator for the "
            "permission to add processing runs."
        )
    try:
        run = runs.create_run(
            how="page", source_name=request.POST.get("source") or None, user=request.user
        )
    except UnknownSource as error:
        raise Http404(str(error)) from error
    runs.queue(run)
    messages.success(request, "Processing is queued.")
    return redirect(run)
