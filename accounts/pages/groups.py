"""The pages of groups: who belongs to them, and which sources they are limited to."""

from django.contrib import messages
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.grants import limit_of
from accounts.groups import add_group, change_group
from accounts.pages.people_form import GroupForm, NewGroupForm, SourcesForm
from accounts.people import check_manages
from accounts.roles import ROLES
from records.lookups import row_or_404
from web.requests import PageRequest

# The groups that the list shows.
LISTED = 500


@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: PageRequest) -> HttpResponse:
    """All groups, roles first; POST adds one."""
    check_manages(request.user)
    form = NewGroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        made = add_group(actor=request.user, **form.given())
        messages.success(request, f"Group “{made.name}” created.")
        return redirect("group", made.pk)
    found = Group.objects.annotate(members=Count("user")).prefetch_related("source_grants__source")
    rows = [
        (group, group.name in ROLES, limit_of(group.source_grants.all()))
        for group in sorted(found.order_by("name")[:LISTED], key=_place)
    ]
    context = {"rows": rows, "form": form, "listed": LISTED}
    return render(request, "accounts/groups.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def group(request: PageRequest, pk: int) -> HttpResponse:
    """The sources that a group is limited to, and its members; POST changes them."""
    check_manages(request.user)
    found = row_or_404(Group.objects.all(), pk, "group")
    is_role = found.name in ROLES
    sources = limit_of(found.source_grants.select_related("source"))
    initial = {
        "all_sources": sources is None,
        "sources": sources or (),
        "members": found.user_set.all(),
    }
    kind: type[SourcesForm] = SourcesForm if is_role else GroupForm
    form = kind(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        change_group(actor=request.user, group=found, **form.given())
        messages.success(request, "Saved.")
        return redirect("group", pk)
    context = {
        "group": found,
        "form": form,
        "is_role": is_role,
        "is_managed": request.user.is_superuser or not request.user.groups.contains(found),
    }
    return render(request, "accounts/group.html", context, status=400 if form.errors else 200)


def _place(group: Group) -> tuple[int, str]:
    """Roles in their order, then the others by name."""
    is_role = group.name in ROLES
    return (ROLES.index(group.name) if is_role else len(ROLES), group.name)
