"""Lets a request pass to what its sender may see, and to nothing else."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from accounts import rights
from records.permissions import Action, may

# Pages about the own account, and the admin, which asks for its own permissions.
ANY_ACCOUNT_PATHS = ("account/", "accounts/")
ANY_ACCOUNT_NAMES = ("logout", "account_logout")


class Rights(LoginRequiredMiddleware):
    """Asks for an account and a role, and limits what is read to the sources of the person.

    Views that need neither say so, as those of the API do, which knows its own credentials and has
    ``rights.MayRead``. A response that streams reads on after the middleware has returned it, so
    the limit ends when the response is closed.
    """

    def process_request(self, request: HttpRequest) -> None:
        rights.begin(request.user)

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: Any,
        view_kwargs: Any,
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        if request.user.is_anonymous and not rights.is_open(request, view_func):
            refusal: HttpResponseBase | None = super().process_view(
                request, view_func, view_args, view_kwargs
            )
            return refusal
        if _is_for_any_account(request, view_func) or may(request.user, Action.READ):
            return None
        return render(request, "no_role.html", {"sentence": rights.NO_ROLE}, status=403)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Who reads without an account may do more with one."""
        if isinstance(error, PermissionDenied) and request.user.is_anonymous:
            return redirect_to_login(request.get_full_path())
        return None


def _is_for_any_account(request: HttpRequest, view: object) -> bool:
    match = request.resolver_match
    return getattr(view, "for_any_account", False) or (
        match is not None
        and (
            "admin" in match.namespaces
            or match.url_name in ANY_ACCOUNT_NAMES
            or match.route.startswith(ANY_ACCOUNT_PATHS)
        )
    )


def end(**kwargs: Any) -> None:
    rights.end()


request_finished.connect(end, dispatch_uid="rights")
