"""Lets the audit log know which request is served."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.audit.actor import serving


class Audited:
    """Takes the sender of each request for the actor of what it does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with serving(request):
            return self.get_response(request)
