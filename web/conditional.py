"""Parts of a page that refresh while a run works; they are sent only when they have changed."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response

from web.requests import PageRequest, wants_part


class Moving(Protocol):
    """A piece of work in a list, as far as it changes while it goes on."""

    pk: Any
    state: str
    error: str

    @property
    def done(self) -> int: ...

    @property
    def is_active(self) -> bool: ...


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


def facts_of(runs: Sequence[Moving]) -> list[tuple[object, ...]]:
    """What a list of runs shows of them and that changes."""
    return [(type(run).__name__, run.pk, run.state, run.done, run.error) for run in runs]


def with_runs(
    request: PageRequest,
    template: str,
    context: dict[str, Any],
    runs: Sequence[Moving],
    **how: Any,
) -> HttpResponse:
    """A page with a list of runs, of which htmx asks for the list alone while one is active."""
    is_moving = any(run.is_active for run in runs)
    tag = tag_of(facts_of(runs))
    context = context | {"runs": runs, "runs_tag": tag if is_moving else ""}
    if not (wants_part(request) and request.method == "GET"):
        return render(request, template, context, **how)
    return unless_same(request, tag, lambda: render(request, "parts/moving_runs.html", context))
