"""The pages of signing in and out, of passwords and of sessions."""

from typing import Any

from allauth.account import views
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.sign_in import sessions
from accounts.sign_in.user_agents import described
from records import lookups
from web.requests import PageRequest


@require_safe
def account(request: PageRequest) -> HttpResponse:
    """What a person sets for their own account."""
    return render(request, "account/account.html")


class LoginView(views.LoginView):
    """Log in."""

    template_name = "login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        return found | {"provider": settings.OIDC_NAME if settings.OIDC else ""}


class LogoutView(views.LogoutView):
    """Log out, by a button."""

    http_method_names = ["post", "options"]


class PasswordChangeView(views.PasswordChangeView):
    """Change one's password. All other sessions end."""

    template_name = "account/password.html"
    success_url = reverse_lazy("account")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_usable_password():
            return render(request, "account/no_password.html")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_default_success_url(self) -> str:
        return str(self.success_url)


class PasswordResetView(views.PasswordResetView):
    """Ask for a mail with a link. Without a mail server, the page says whom to ask."""

    template_name = "account/reset.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        return found | {"sends_mail": settings.SENDS_MAIL}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.SENDS_MAIL:
            return self.get(request, *args, **kwargs)
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response


class PasswordResetDoneView(views.PasswordResetDoneView):
    """A mail is on its way, if the address has an account."""

    template_name = "account/reset_sent.html"


class NewPasswordView(views.PasswordResetFromKeyView):
    """Where the link of the mail leads to."""

    template_name = "account/new_password.html"
    success_url = reverse_lazy("login")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if context.get("token_fail"):
            kwargs["status"] = 400
        response: HttpResponse = super().render_to_response(context, **kwargs)
        return response


@require_safe
def session_list(request: PageRequest) -> HttpResponse:
    """Where the person is signed in."""
    rows = [
        (session, described(session.user_agent)) for session in sessions.open_sessions(request.user)
    ]
    return render(
        request,
        "account/sessions.html",
        {"rows": rows, "current": request.session.session_key},
    )


@require_POST
def end_session(request: PageRequest, pk: int) -> HttpResponse:
    """Sign out somewhere else."""
    own = UserSession.objects.filter(user=request.user)
    session = lookups.or_404(lookups.by_id(own, pk), "You have no such session.")
    if session.session_key == request.session.session_key:
        return LogoutView.as_view()(request)
    session.end()
    _record_end(request, 1)
    messages.success(request, "Signed out there.")
    return redirect("account-sessions")


@require_POST
def end_other_sessions(request: PageRequest) -> HttpResponse:
    """Sign out everywhere else."""
    ended = sessions.end_others(request.user, current=request.session.session_key)
    _record_end(request, ended)
    messages.success(request, "Signed out everywhere else.")
    return redirect("account-sessions")


def _record_end(request: PageRequest, count: int) -> None:
    user = request.user
    audit.record(
        audit.Action.SESSIONS_ENDED,
        kind="person",
        object_id=user.pk,
        label=user,
        after={"sessions": count},
    )
