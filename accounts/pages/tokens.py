"""The pages of API tokens: a person's own, and those of everybody for administrators."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import ApiToken
from accounts.pages.token_form import ServiceTokenForm, TokenForm
from accounts.tokens.manage import TokenError, create_token, revoke
from records import lookups
from records.permissions import Action, check, may
from web.requests import PageRequest

# The newest tokens that a page lists.
LISTED = 500


@require_http_methods(["GET", "HEAD", "POST"])
def own_tokens(request: PageRequest) -> HttpResponse:
    """The tokens of the user; POST creates a personal one."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    tokens = ApiToken.objects.of(request.user)
    return _answer(request, form, "accounts/tokens.html", tokens, owner=request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def all_tokens(request: PageRequest) -> HttpResponse:
    """The tokens of everybody; POST creates a service token."""
    check(request.user, Action.MANAGE_TOKENS)
    form = ServiceTokenForm(request.user, request.POST if request.method == "POST" else None)
    tokens = ApiToken.objects.select_related("owner")
    return _answer(request, form, "accounts/all_tokens.html", tokens)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke_token(request: PageRequest, pk: int) -> HttpResponse:
    """Ask whether to revoke a token, and revoke it."""
    tokens = ApiToken.objects.select_related("owner")
    if not may(request.user, Action.MANAGE_TOKENS):
        tokens = tokens.of(request.user)
    token = lookups.or_404(lookups.by_id(tokens, pk), f"You have no API token {pk}.")
    page = "own-tokens" if token.owner == request.user else "all-tokens"
    if request.method != "POST":
        return render(request, "accounts/revoke_token.html", {"token": token, "page": page})
    if revoke(token):
        messages.success(request, f"API token “{token.name}” revoked.")
    else:
        messages.info(request, "The API token had already been revoked.")
    return redirect(page)


def _answer(
    request: PageRequest, form: TokenForm, template: str, tokens: Any, **given: Any
) -> HttpResponse:
    """The page with the list and the form, or the new token: it is shown in this response only."""
    if form.is_valid():
        try:
            token, text = create_token(**given | form.given())
        except TokenError as error:
            form.add_error(None, str(error))
        else:
            origin = request.build_absolute_uri("/").rstrip("/")
            context = {"token": token, "text": text, "origin": origin}
            return render(request, "accounts/new_token.html", context, status=201)
    context = {"form": form, "tokens": tokens[:LISTED], "listed": LISTED}
    return render(request, template, context, status=400 if form.errors else 200)
