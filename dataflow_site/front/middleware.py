"""Responds to requests whose body the server refused, as a page or as JSON."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from dataflow_site.front.refusals import NO_ROOM, REFUSAL, Refusal
from ingestion.errors import FULL
from web.api.problems import is_api, problem_answer


class AnswerRefusals:
    """Says why a body was not taken; other requests pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal: Refusal | None = request.META.get(REFUSAL)
        if refusal is None:
            return self.get_response(request)
        return _answer(request, refusal)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say that the disk is full, where a view finds out."""
        is_full = isinstance(error, OSError) and error.errno in FULL
        return _answer(request, NO_ROOM) if is_full else None


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if is_api(request.path_info):
        return problem_answer(request, refusal.sentence, status=refusal.status)
    context = {"status": refusal.status, "sentence": refusal.sentence}
    return render(request, "refused.html", context, status=refusal.status)
