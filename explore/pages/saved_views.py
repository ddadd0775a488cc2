"""Views of the explorer that people keep: saved under a name, and removed."""

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
    """Keep what the query of the URL shows, instead of what had the name before."""
    query = RecordQuery.parse(request.GET)
    if refusal(request.GET, besides=(*FACETS, "cursor")) or not query.is_valid:
        raise BadRequest("What this filter asks for means nothing, so it can't be saved.")
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors.get("name", []))))
    elif SavedView.objects.filter(user=request.user).count() >= MOST:
        messages.error(request, f"You have saved {MOST} views. Remove one first.")
    else:
        name = form.cleaned_data["name"]
        SavedView.objects.update_or_create(
            user=request.user, name=name, defaults={"query": query.query_string()}
        )
        messages.success(request, f"The view “{name}” is saved.")
    return redirect(query.url())


@require_POST
def remove_view(request: PageRequest, pk: int) -> HttpResponse:
    """Forget one of the views of who asks."""
    own = SavedView.objects.filter(user=request.user)
    found = lookups.or_404(lookups.by_id(own, pk), "There is no such view of yours.")
    found.delete()
    messages.success(request, f"The view “{found.name}” is removed.")
    return redirect("explorer")
