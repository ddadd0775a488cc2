"""The page on which something is done to all records of a filter, once it is confirmed."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from explore.explorer import bulk_actions
from explore.explorer.bulk_actions import ACTIONS
from explore.filters.parameters import FACETS, query_of_page
from web.numbers import number
from web.requests import PageRequest

NAMED = 5


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PageRequest, name: str) -> HttpResponse:
    """What would be done, and to how many; confirmed, it is done."""
    action = ACTIONS.get(name)
    if action is None:
        raise Http404("There is no such action.")
    if not request.user.has_perm(action.permission):
        raise PermissionDenied(
            "You may look at records, but not do this to them. Ask an administrator for the "
            f"permission {action.permission!r}."
        )
    query = query_of_page(request.GET).without(*FACETS)
    if not query.is_valid:
        raise BadRequest(" ".join(text for said in query.errors.values() for text in said))
    records = query.queryset()
    if request.method == "POST":
        if request.POST.get("sure") != "yes":
            messages.error(request, "Nothing was done: tick the box to confirm it.")
            return redirect(request.get_full_path())
        done = bulk_actions.carry_out(name, records)
        are = "record is" if done.records == 1 else "records are"
        rest = "" if done.is_all else " There are more of them: repeat it for the next ones."
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
