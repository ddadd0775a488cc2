"""The button by which processing is started."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from processing.runs import queue_processing
from records.models import Source


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Queue a pass over the raw records of ``source``, or of all sources; its page comes next."""
    if not request.user.has_perm("records.add_processingrun"):
        raise PermissionDenied(
            "You may look at records, but not process them. Ask an administrator for the "
            "permission to add processing runs."
        )
    name = request.POST.get("source", "")
    source = Source.objects.named(name) if name else None
    if name and source is None:
        raise Http404(f"There is no source “{name}”.")
    run = queue_processing(source=source, how="page", user=request.user)
    messages.success(request, "Processing is queued.")
    return redirect(run)
