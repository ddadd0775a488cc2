"""The pages of OAuth 2: clients for administrators, and what a person has authorised."""

from allauth.idp.oidc.models import Client
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.oauth.clients import authorised_by, create_client, end_authorisation
from accounts.pages.client_form import ClientForm
from records import lookups
from records.permissions import Action, check
from web.requests import PageRequest

# The newest clients that the page lists.
LISTED = 500


@require_http_methods(["GET", "HEAD", "POST"])
def clients(request: PageRequest) -> HttpResponse:
    """All clients; POST creates one, whose secret is shown in this response only."""
    check(request.user, Action.MANAGE_TOKENS)
    form = ClientForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        created = create_client(**form.given())
        context = {"client": created.client, "secret": created.secret}
        return render(request, "accounts/new_client.html", context, status=201)
    found = Client.objects.select_related("owner").order_by("-created_at")
    context = {"form": form, "clients": found[:LISTED], "listed": LISTED}
    return render(request, "accounts/clients.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke_client(request: PageRequest, pk: str) -> HttpResponse:
    """Ask whether to revoke a client, and revoke it with all its tokens."""
    check(request.user, Action.MANAGE_TOKENS)
    client = lookups.or_404(Client.objects.filter(pk=pk).first(), "There is no such client.")
    if request.method != "POST":
        return render(request, "accounts/revoke_client.html", {"client": client})
    client.delete()
    messages.success(request, f"Client “{client.name}” revoked.")
    return redirect("oauth-clients")


@require_safe
def applications(request: PageRequest) -> HttpResponse:
    """The clients that may use the API as the person."""
    context = {"clients": authorised_by(request.user)}
    return render(request, "accounts/applications.html", context)


@require_POST
def end_application(request: PageRequest, pk: str) -> HttpResponse:
    """End what a client may do as the person."""
    found = authorised_by(request.user).filter(pk=pk).first()
    client = lookups.or_404(found, "You have authorised no such application.")
    end_authorisation(request.user, client)
    messages.success(request, f"“{client.name}” can no longer use the API as you.")
    return redirect("own-applications")
