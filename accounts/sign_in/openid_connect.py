"""Logging in with the OpenID Connect provider that the settings name."""

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, User
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_safe
from requests import RequestException

from accounts.sign_in import people

log = logging.getLogger(__name__)

FAILED = "Logging in with {name} failed. Try again, or ask an administrator to look into the log."
CANCELLED = "Logging in with {name} was cancelled."
TAKEN = (
    "Another account has the email address that {name} gave. Log in with the password of that "
    "account, or ask an administrator."
)


class Provider(OpenIDConnectOAuth2Adapter):
    """Speaks with the provider. What it says of a person is signed, and is checked."""

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        answer = kwargs["response"]
        if not isinstance(answer.get("id_token"), str):
            raise OAuth2Error("The provider has sent no id_token")
        try:
            claims = jwtkit.verify_and_decode(
                credential=answer["id_token"],
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
            about = self._fetch_user_info(token.token)
            if about["sub"] != claims["sub"]:
                raise OAuth2Error("The id_token and the user info are about different people")
        except (KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("The provider has sent what is not valid") from error
        return self.get_provider().sociallogin_from_response(
            request, {"userinfo": claims | about, "id_token": claims}
        )


class OpenIDConnectAdapter(DefaultSocialAccountAdapter):
    """Whom the provider knows gets an account here, without any role unless a claim says one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        claims = sociallogin.account.extra_data["userinfo"]
        if not sociallogin.is_existing:
            self._meet_account_of_same_address(request, sociallogin, claims)
        if sociallogin.is_existing:
            give_roles(sociallogin.user, claims)

    def _meet_account_of_same_address(
        self, request: HttpRequest, sociallogin: SocialLogin, claims: dict[str, Any]
    ) -> None:
        known = list(people.of_address(sociallogin.user.email)[:2])
        is_theirs = settings.OIDC_LINK_BY_EMAIL and claims.get("email_verified") is True
        if len(known) == 1 and is_theirs:
            sociallogin.connect(request, known[0])
        elif known:
            raise ImmediateHttpResponse(to_login(request, TAKEN))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        give_roles(user, sociallogin.account.extra_data["userinfo"])
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        if error != AuthError.CANCELLED:
            log.warning("Logging in with %s failed: %s", settings.OIDC_NAME, exception or error)
        said = CANCELLED if error == AuthError.CANCELLED else FAILED
        raise ImmediateHttpResponse(to_login(request, said))


def give_roles(user: User, claims: dict[str, Any]) -> None:
    """Make a person a member of the groups that a claim names, and of no other that it could name.

    Without DATAFLOW_OIDC_ROLES, nothing changes.
    """
    if not settings.OIDC_ROLES:
        return
    said = claims.get(settings.OIDC_ROLE_CLAIM, [])
    values = {said} if isinstance(said, str) else set(map(str, said or []))
    wanted = {role for value, role in settings.OIDC_ROLES.items() if value in values}
    groups = Group.objects.filter(name__in=settings.OIDC_ROLES.values())
    user.groups.remove(*(group for group in groups if group.name not in wanted))
    user.groups.add(*(group for group in groups if group.name in wanted))


def to_login(request: HttpRequest, said: str) -> HttpResponse:
    """Back to the login page, which says what happened."""
    messages.error(request, said.format(name=settings.OIDC_NAME))
    return redirect("login")


def _meet_provider(request: HttpRequest, provider_id: str, view: Any) -> HttpResponseBase:
    if not settings.OIDC:
        raise Http404
    try:
        answer: HttpResponseBase = view.adapter_view(Provider(request, provider_id))(request)
    except (RequestException, OAuth2Error, KeyError, ValueError) as error:
        # Nobody answers at its address, or what is there is no provider.
        log.warning("%s does not answer as it should: %r", settings.OIDC_NAME, error)
        return to_login(request, FAILED)
    return answer


@require_safe
@login_not_required
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Send the browser to the provider. By a link: the policy forbids forms that lead elsewhere."""
    if unknown := set(request.GET) - {"next"}:
        # django-allauth takes more, such as to add what the provider says to another account.
        raise BadRequest(f"This address has no parameter “{min(unknown)}”.")
    return _meet_provider(request, provider_id, OAuth2LoginView)


@require_safe
@login_not_required
def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends the browser back to."""
    return _meet_provider(request, provider_id, OAuth2CallbackView)


PROVIDER_ID = "sso"
# The names and the argument are those of django-allauth.
urlpatterns = [
    path("login/with/", begin, {"provider_id": PROVIDER_ID}, name="openid_connect_login"),
    path(
        "login/with/back/", come_back, {"provider_id": PROVIDER_ID}, name="openid_connect_callback"
    ),
]
