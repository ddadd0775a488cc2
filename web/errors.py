"""Error pages."""

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an invalid request; a view's own BadRequest says what is wrong."""
    sentence = str(exception) if isinstance(exception, BadRequest) else ""
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
    return render(request, "404.html", {"sentence": sentence}, status=404)
