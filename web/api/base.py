"""Base classes of the API: strict query parameters, and errors of one form."""

from typing import Any, ClassVar, TypeVar

from django.core.exceptions import SuspiciousOperation
from rest_framework import exceptions, status, views
from rest_framework.request import Request
from rest_framework.response import Response

Found = TypeVar("Found")


class TooManyRequests(exceptions.APIException):
    """Others have to end first; ``Retry-After`` says when it may be worth while to ask again."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence, code="too_many_requests")
        # Where the exception handler of REST framework looks for it.
        self.wait = seconds


class Conflict(exceptions.APIException):
    """What is asked for does not go with how things stand now."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class TooLarge(exceptions.APIException):
    """The body is larger than the endpoint takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Unprocessable(exceptions.APIException):
    """The request is well formed, but what it asks for can't be done."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


class StrictQuery(views.APIView):
    """A view that refuses query parameters that it does not know, or that are given twice.

    Only those in ``repeatable`` may be given several times.
    """

    query_parameters: ClassVar[frozenset[str]] = frozenset()
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def known_parameters(self, method: str) -> frozenset[str]:
        """The query parameters of a method: the same for all, unless a view says otherwise."""
        return self.query_parameters

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        allowed = self.known_parameters(request.method or "")
        known = allowed | {self.settings.URL_FORMAT_OVERRIDE}
        errors = {}
        for name, values in request.query_params.lists():
            if name not in known:
                errors[name] = [unknown_name("parameter", allowed)]
            elif len(values) > 1 and name not in self.repeatable:
                errors[name] = ["This parameter may be given only once."]
        if errors:
            raise exceptions.ValidationError(errors)


def unknown_name(kind: str, known: frozenset[str]) -> str:
    """The error for a name that is not known; ``kind`` is "field" or "parameter"."""
    choices = f"Allowed: {', '.join(sorted(known))}." if known else "None are allowed here."
    return f"Unknown {kind}. {choices}"


def or_not_found(found: Found | None, name: str) -> Found:
    """Return what was found. Raises NotFound for None; ``name`` is the kind of thing."""
    if found is None:
        raise exceptions.NotFound(f"{name} not found")
    return found


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error answers ``{"detail": sentence}``; a wrong parameter also stands in ``errors``."""
    if isinstance(error, SuspiciousOperation):
        # Django's own limits, which tell of settings.
        error = exceptions.ParseError("The request is too large.")
    response = views.exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        sentences = [f"{name}: {' '.join(map(str, said))}" for name, said in errors.items()]
        response.data = {"detail": " ".join(sentences), "errors": errors}
    return response


def documented(endpoints: list[tuple[Any, ...]], **kwargs: Any) -> list[tuple[Any, ...]]:
    """The endpoints that the API's documentation lists: each answers at the root as well."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]
