"""Limits every request to what its sender may see."""

from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse

from accounts import rights


class Rights:
    """Begins the limit of whoever has logged in; it ends when the response is closed.

    A response that streams reads on after the middleware has returned it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        rights.begin(request.user)
        return self.get_response(request)


def end(**kwargs: Any) -> None:
    rights.end()


request_finished.connect(end, dispatch_uid="rights")
