"""The page that administrators look at."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from operations.overview import overview
from records.permissions import Action, check
from web.requests import PageRequest


@require_safe
def operations(request: PageRequest) -> HttpResponse:
    """How the installation stands, and what to do."""
    check(request.user, Action.SEE_OPERATIONS)
    return render(request, "operations/operations.html", {"overview": overview()})
