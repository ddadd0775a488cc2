"""What a page's view gets: a request that has passed our middleware."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request behind the login; ``htmx`` tells what part of the page it asks for."""

    user: User
    htmx: HtmxDetails


def wants_part(request: PageRequest) -> bool:
    """Whether htmx asks for a part of the page; going back in the history, it wants it all."""
    return bool(request.htmx) and not request.htmx.history_restore_request
