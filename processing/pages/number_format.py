"""The page that sets the number format of a source and reprocesses its records."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from processing.number_format import look, set_format, value_column
from records.lookups import source_or_404
from records.number_decision import FORMATS
from records.permissions import Action, check
from records.unread_values import unread_values
from web.requests import PageRequest


@require_http_methods(["GET", "HEAD", "POST"])
def number_format(request: PageRequest, name: str) -> HttpResponse:
    """Show how the numbers of the value column are written; set it, and reprocess."""
    source = source_or_404(name)
    check(request.user, Action.CHANGE_RULES)
    check(request.user, Action.PROCESS)
    if not value_column(source):
        raise Http404("This source has no value column.")
    if request.method == "POST":
        text = request.POST.get("number_format", "")
        if text not in FORMATS:
            raise BadRequest("Unknown number format. Choose one from the list.")
        run = set_format(source=source, text=text, user=request.user)
        messages.success(request, f"Numbers are now read as {text}. Reprocessing is queued.")
        return redirect(run)
    context = {
        "source": source,
        "found": look(source),
        "formats": list(FORMATS),
        "unread_values": unread_values(source.name),
    }
    return render(request, "processing/number_format.html", context)
