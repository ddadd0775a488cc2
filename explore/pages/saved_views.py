"""Saves and removes views of the explorer."""

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from explore.filters import RecordQuery
from explore.filters.parameters import FACETS, refusal
from records import lookups
from records.models import SavedView
from web.requests import PageRequest

MOST = 100


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a view."""

    class Meta:
        model = SavedView
        fields = ("name",)
        error_messages = {"name": {"required": "Give the view a name."}}


@require_POST
def save_view(request: PageRequest) -> HttpResponse:
    """Save the query of the URL as a view; an earlier view of the same name is replaced."""
    query = RecordQuery.parse(request.GET)
    if refusal(request.GET, besides=(*FACETS, "cursor")) or not query.is_valid:
        raise BadRequest("This filter is not valid, so it can't be saved.")
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors.get("name", []))))
    elif SavedView.objects.filter(user=request.user).count() >= MOST:
        messages.error(request, f"You already have {MOST} saved views. Remove one first.")
    else:
        name = form.cleaned_data["name"]
        SavedView.objects.update_or_create(
            user=request.user, name=name, defaults={"query": query.query_string()}
        )
        messages.success(request, f"View “{name}” saved.")
    return redirect(query.url())


@require_POST
def remove_view(request: PageRequest, pk: int) -> HttpResponse:
    """Remove a view of the user."""
    own = SavedView.objects.filter(user=request.user)
    found = lookups.or_404(lookups.by_id(own, pk), "You have no such view.")
    found.delete()
    messages.success(request, f"View “{found.name}” removed.")
    return redirect("explorer")
