"""The pages of exports that workers create, each only for its user."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.rights import for_an_account
from explore.export.options import OptionsForm
from explore.export.responses import file_answer
from explore.filters import RecordQuery
from records import lookups
from records.jobs import leases
from records.jobs.liveness import lacks_worker
from records.models import Export
from web.requests import PageRequest, wants_part

# The newest exports of a person that the list shows.
NEWEST = 50


@for_an_account
@require_safe
def exports(request: PageRequest) -> HttpResponse:
    """The exports of the user."""
    found = Export.objects.filter(user=request.user)[:NEWEST]
    return render(request, "explore/exports.html", {"exports": found})


@for_an_account
@require_safe
def made_export(request: PageRequest, pk: int) -> HttpResponse:
    """The progress of an export, and the link to its file when it is finished."""
    found = _own_or_404(request, pk)
    asked = RecordQuery.parse(QueryDict(found.query)).without(*OptionsForm.base_fields)
    context = {
        "export": found,
        "query": asked.query_string(),
        "no_worker": lacks_worker(found),
    }
    template = "_export" if wants_part(request) else "export"
    return render(request, f"explore/{template}.html", context)


@for_an_account
@require_safe
def exported_file(request: PageRequest, pk: int) -> HttpResponseBase:
    """The file of an export."""
    answer = file_answer(_own_or_404(request, pk))
    if answer is None:
        raise Http404("This export has no file or has expired. Start a new one in the explorer.")
    return answer


@require_POST
def cancel_export(request: PageRequest, pk: int) -> HttpResponse:
    """Cancel an export."""
    found = _own_or_404(request, pk)
    if leases.stop(found):
        messages.success(request, "Export cancelled.")
    else:
        messages.info(request, "The export has already ended.")
    return redirect(found)


def _own_or_404(request: PageRequest, pk: int) -> Export:
    own = Export.objects.filter(user=request.user)
    return lookups.or_404(lookups.by_id(own, pk), f"You have no export {pk}.")
