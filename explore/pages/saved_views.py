"""Saves and removes views of the explorer."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from explore import saved_views
from explore.filters import RecordQuery
from explore.saved_views import CannotSaveView
from records import lookups
from records.models import SavedView
from web.requests import PageRequest


@require_POST
def save_view(request: PageRequest) -> HttpResponse:
    """Save the query of the URL as a view; an earlier view of the same name is replaced."""
    name = request.POST.get("name", "").strip()
    try:
        saved_views.save_view(user=request.user, name=name, parameters=request.GET)
    except CannotSaveView as error:
        if error.field == "query":
            raise BadRequest(str(error)) from error
        messages.error(request, str(error))
    else:
        messages.success(request, f"View “{name}” saved.")
    return redirect(RecordQuery.parse(request.GET).url())


@require_POST
def remove_view(request: PageRequest, pk: int) -> HttpResponse:
    """Remove a view of the user."""
    own = SavedView.objects.of(request.user)
    found = lookups.or_404(lookups.by_id(own, pk), "You have no such view.")
    found.delete()
    messages.success(request, f"View “{found.name}” removed.")
    return redirect("explorer")
