"""Error pages, and the same errors as problem details for clients of the API."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from web.api.problems import is_api, problem_answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an invalid request; a view's own BadRequest says what is wrong."""
    sentence = str(exception) if isinstance(exception, BadRequest) else ""
    if is_api(request.path_info):
        return problem_answer(request, sentence or "The request is not valid.", status=400)
    return render(request, "400.html", {"sentence": sentence}, status=400)


def too_many(request: HttpRequest, sentence: str, *, seconds: int) -> HttpResponse:
    """The page for requests beyond a limit."""
    context = {"sentence": sentence}
    answer = render(request, "429.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for what does not exist; a view's own Http404 names it."""
    # The resolver raises a subclass, whose text is a listing of all addresses.
    sentence = str(exception) if type(exception) is Http404 else ""
    if is_api(request.path_info):
        return problem_answer(
            request, sentence or "There is no such URL. See /api/v1/docs/.", status=404
        )
    return render(request, "404.html", {"sentence": sentence}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a fault of the server, which tells nothing about it."""
    if is_api(request.path_info):
        return problem_answer(request, "The server ran into an unexpected error.", status=500)
    return defaults.server_error(request)
