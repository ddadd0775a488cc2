"""The endpoints of OAuth 2: those of django-allauth, and stricter."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc import views
from allauth.idp.oidc.internal.clientkit import lookup_client
from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.internal.oauthlib.utils import extract_params
from allauth.idp.oidc.internal.resources import get_resources
from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.views.decorators.http import require_safe
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error

from accounts import audit
from accounts.models import TokenScope

# A SHA-256 digest in Base64 (RFC 7636).
CHALLENGE = re.compile(r"[\w-]{43}", re.ASCII)


class AuthorizeView(views.AuthorizationView):
    """Ask a person whether a client may use the API as them."""

    template_name = "accounts/authorize.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Without the exceptions of the original: a login and the token of the form are needed.
        answer: HttpResponseBase = super(views.AuthorizationView, self).dispatch(
            request, *args, **kwargs
        )
        return answer

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _check(request)
        answer: HttpResponse = super().get(request, *args, **kwargs)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.POST.get("request"):
            raise BadRequest("The form is not complete. Go back to the application.")
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def _login_required(self, request: HttpRequest) -> None:
        """The middleware has seen to it."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        if "code=" in answer.get("Location", ""):
            client = Client.objects.get(pk=self._request_info["client_id"])
            audit.record(
                audit.Action.ACCESS_GIVEN,
                kind="OAuth client",
                object_id=client.pk,
                label=client.name,
                after={"scopes": form.cleaned_data["scopes"]},
            )
        return answer

    def render_to_response(self, context: dict[str, Any], **given: Any) -> HttpResponse:
        answer: HttpResponse = super().render_to_response(context, **given)
        # The answer to the form leads back to the client, which the policy has to allow. django-csp
        # has only a decorator for this, which knows no request: it sets the same attribute.
        there = urlsplit(self._request_info["redirect_uri"])
        answer._csp_update = {"form-action": [f"{there.scheme}://{there.netloc}"]}  # type: ignore[attr-defined]
        return answer


def _check(request: HttpRequest) -> None:
    """Raise BadRequest for what must not be answered by sending somebody anywhere."""
    challenge = request.GET.get("code_challenge")
    if challenge is not None and not CHALLENGE.fullmatch(challenge):
        # An empty one would be asked of nobody again.
        raise BadRequest("The code challenge is not a SHA-256 digest in Base64.")
    try:
        client = lookup_client(request.GET.get("client_id", ""))
        if client and request.GET.get("redirect_uri") not in client.get_redirect_uris():
            raise BadRequest("The redirect URI is not one of this application.")
        get_resources(request)
        get_server().validate_authorization_request(*extract_params(request))
    except FatalClientError as error:
        raise BadRequest(f"The application asks wrongly: {error.description}") from error
    except OAuth2Error:
        pass  # told to the client
    except (ValidationError, ValueError) as error:
        raise BadRequest("The application asks wrongly.") from error


def _invalid(error: str) -> JsonResponse:
    return JsonResponse({"error": error}, status=400)


class TokenView(views.TokenView):
    """Give a client a token for a code, a refresh token, or its own credentials."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            with transaction.atomic():
                answer: HttpResponse = super().post(request)
                if answer.status_code == 200:
                    _record_issued(request, json.loads(answer.content)["access_token"])
        except ValidationError:
            return _invalid("invalid_target")
        except ValueError:
            # A text that the database can't hold.
            return _invalid("invalid_request")
        return answer


def _record_issued(request: HttpRequest, text: str) -> None:
    """Enter in the audit log which application has got an access token, by what, for whom."""
    token = Token.objects.by_value(text).select_related("client__owner", "user").get()
    audit.record(
        audit.Action.ACCESS_TOKEN_ISSUED,
        kind="OAuth client",
        object_id=token.client.pk,
        label=token.client.name,
        after={
            "for": (token.user or token.client.owner).get_username(),
            "grant": request.POST.get("grant_type", ""),
            "scopes": token.get_scopes(),
        },
    )


class RevokeView(views.RevokeView):
    """End a token that a client has."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().post(request, *args, **kwargs)
        except ValueError:
            return _invalid("invalid_request")
        if answer.status_code == 200:
            audit.record(audit.Action.ACCESS_ENDED, kind="OAuth client", label="by the client")
        return answer


def issuer(request: HttpRequest) -> str:
    """The URL that this server is known by as one that gives access (RFC 8414)."""
    return request.build_absolute_uri("/").rstrip("/")


@login_not_required
@require_safe
def metadata(request: HttpRequest) -> JsonResponse:
    """What clients need to know of this server (RFC 8414)."""
    at = request.build_absolute_uri
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return JsonResponse(
        {
            "issuer": issuer(request),
            "authorization_endpoint": at(reverse("idp:oidc:authorization")),
            "token_endpoint": at(reverse("idp:oidc:token")),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint": at(reverse("idp:oidc:revoke")),
            "revocation_endpoint_auth_methods_supported": methods,
            "scopes_supported": list(TokenScope.values),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


_endpoints = [
    path("authorize", AuthorizeView.as_view(), name="authorization"),
    path("token", TokenView.as_view(), name="token"),
    path("revoke", RevokeView.as_view(), name="revoke"),
]
# By the names that django-allauth knows its endpoints by.
urlpatterns: list[URLPattern | URLResolver] = [
    path("oauth/", include(([path("", include((_endpoints, "oidc")))], "idp"))),
    path(".well-known/oauth-authorization-server", metadata, name="oauth-metadata"),
]
