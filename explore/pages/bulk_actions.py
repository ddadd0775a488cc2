"""The page that confirms a bulk action on all records of a filter."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from explore.explorer import bulk_actions
from explore.explorer.bulk_actions import ACTIONS
from explore.filters.parameters import FACETS, query_of_page
from records import lookups, permissions
from web.numbers import number
from web.requests import PageRequest

NAMED = 5


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PageRequest, name: str) -> HttpResponse:
    """Ask for confirmation, then carry out the action."""
    action = lookups.or_404(ACTIONS.get(name), "There is no such action.")
    permissions.check(request.user, action.permission)
    query = query_of_page(request.GET).without(*FACETS)
    if not query.is_valid:
        raise BadRequest(" ".join(text for said in query.errors.values() for text in said))
    records = query.queryset()
    if request.method == "POST":
        if request.POST.get("sure") != "yes":
            messages.error(request, "Nothing was changed. Tick the box to confirm.")
            return redirect(request.get_full_path())
        done = bulk_actions.carry_out(name, records)
        are = "record is" if done.records == 1 else "records are"
        rest = "" if done.is_all else " More records match: repeat the action for the rest."
        messages.success(request, f"{number(done.records)} {are} {action.done}.{rest}")
        return redirect(query.url())
    context = {
        "action": action,
        "count": bulk_actions.count(name, records),
        "most": bulk_actions.MOST,
        "first": bulk_actions.subjects(name, records)[:NAMED],
        "chips": query.chips(),
        "explorer": query.url(),
    }
    return render(request, "explore/act.html", context)
