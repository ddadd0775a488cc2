"""What moves on a page while a run works: asked for again and again, sent only when it changed."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response


def tag_of(*facts: object) -> str:
    """The ETag of a part of a page that shows these facts."""
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


def unless_same(request: HttpRequest, tag: str, make: Callable[[], HttpResponse]) -> HttpResponse:
    """The part as it is now; 304 and nothing where the reader has it already."""
    response: HttpResponse = get_conditional_response(request, etag=tag) or make()
    response["ETag"] = tag
    # It has the address of the page that it is a part of: no cache is to mix them up.
    response["Cache-Control"] = "no-store"
    return response
