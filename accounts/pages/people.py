"""The pages of people: who has an account, which role, and which sources."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.grants import limit_of
from accounts.pages.people_form import NewPersonForm, RightsForm
from accounts.people import (
    add_person,
    check_manages,
    role_of,
    set_active,
    set_rights,
)
from records.lookups import row_or_404
from web.requests import PageRequest

# The accounts that the list shows.
LISTED = 500


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: PageRequest) -> HttpResponse:
    """Everybody who has an account; POST adds somebody."""
    check_manages(request.user)
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        made = add_person(actor=request.user, **form.given())
        messages.success(request, f"Account “{made.username}” created.")
        return redirect("people")
    found = User.objects.order_by("username").prefetch_related(
        "source_grants__source", "groups__source_grants__source"
    )
    rows = [(person, role_of(person), _limit_of(person)) for person in found[:LISTED]]
    context = {"rows": rows, "form": form, "listed": LISTED}
    return render(request, "accounts/people.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: PageRequest, pk: int) -> HttpResponse:
    """What one person may do; POST changes it, or closes or opens the account."""
    check_manages(request.user)
    found = row_or_404(User.objects.all(), pk, "account")
    if request.method == "POST" and (do := request.POST.get("do")) in ("close", "open"):
        set_active(actor=request.user, person=found, is_active=do == "open")
        messages.success(request, "Account opened." if do == "open" else "Account closed.")
        return redirect("person", pk)
    sources = limit_of(found.source_grants.select_related("source"))
    initial = {"role": role_of(found), "all_sources": sources is None, "sources": sources or ()}
    form = RightsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        set_rights(actor=request.user, person=found, **form.given())
        messages.success(request, "Saved.")
        return redirect("person", pk)
    is_managed = found.pk != request.user.pk and (
        request.user.is_superuser or not found.is_superuser
    )
    by_groups = [
        (group, limit_of(grants))
        for group in found.groups.prefetch_related("source_grants__source")
        if (grants := group.source_grants.all())
    ]
    context = {"person": found, "form": form, "is_managed": is_managed, "by_groups": by_groups}
    return render(request, "accounts/person.html", context, status=400 if form.errors else 200)


def _limit_of(person: User) -> list[str] | None:
    """The sources that a person sees, by grants that have been loaded with it; None for all."""
    if person.is_superuser:
        return None
    by_groups = [grant for group in person.groups.all() for grant in group.source_grants.all()]
    return limit_of([*person.source_grants.all(), *by_groups])
