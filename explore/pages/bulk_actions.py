"""The page that confirms a bulk action on all records of a filter."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from explore.explorer import bulk_actions
from explore.explorer.bulk_actions import ACTIONS
from explore.filters import RecordFilter
from explore.filters.links import chips_of, query_of
from explore.filters.parameters import FACETS, refusal
from records.models import DataRecord
from web.numbers import number
from web.requests import PageRequest

NAMED = 5


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PageRequest, name: str) -> HttpResponse:
    """Ask for confirmation, then carry out the action."""
    action = ACTIONS.get(name)
    if action is None:
        raise Http404("There is no such action.")
    if not request.user.has_perm(action.permission):
        raise PermissionDenied(
            "You don't have permission to change these records. Ask an administrator for the "
            f"permission {action.permission!r}."
        )
    if sentence := refusal(request.GET):
        raise BadRequest(sentence)
    found = RecordFilter(request.GET, queryset=DataRecord.objects.all())
    if not found.is_valid():
        raise BadRequest(" ".join(text for said in found.errors.values() for text in said))
    query = query_of(request.GET, without=FACETS)
    explorer = f"{reverse('explorer')}?{query.urlencode()}"
    records = found.qs
    if request.method == "POST":
        if request.POST.get("sure") != "yes":
            messages.error(request, "Nothing was changed. Tick the box to confirm.")
            return redirect(request.get_full_path())
        done = bulk_actions.carry_out(name, records)
        are = "record is" if done.records == 1 else "records are"
        rest = "" if done.is_all else " More records match: repeat the action for the rest."
        messages.success(request, f"{number(done.records)} {are} {action.done}.{rest}")
        return redirect(explorer)
    context = {
        "action": action,
        "count": bulk_actions.count(name, records),
        "most": bulk_actions.MOST,
        "first": bulk_actions.subjects(name, records)[:NAMED],
        "chips": chips_of(found, query),
        "explorer": explorer,
    }
    return render(request, "explore/act.html", context)
