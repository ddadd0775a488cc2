"""Base classes of the API: strict query parameters, and errors of one form."""

from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, set_response_etag
from rest_framework import exceptions, status, views
from rest_framework.request import Request
from rest_framework.response import Response

from web.api.problems import Problem, is_versioned, problem

Found = TypeVar("Found")

# The headers of an error that REST framework has set.
KEPT = ("WWW-Authenticate", "Retry-After")


class TooManyRequests(exceptions.APIException):
    """Others have to end first; ``Retry-After`` says when it may be worth while to ask again."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence, code="throttled")
        # Where the exception handler of REST framework looks for it.
        self.wait = seconds


class Unavailable(exceptions.APIException):
    """The server can't do this at the moment; ``Retry-After`` says when to repeat the request."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence, code="unavailable")
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

    Only those in ``repeatable`` may be given several times. JSON that is got has an ETag, by which
    a client that has it already is answered 304.
    """

    query_parameters: ClassVar[frozenset[str]] = frozenset()
    repeatable: ClassVar[frozenset[str]] = frozenset()
    # Those without a value. Version 1 refuses other blank ones, which older URLs ignore.
    flags: ClassVar[frozenset[str]] = frozenset()

    def known_parameters(self, method: str) -> frozenset[str]:
        """The query parameters of a method: the same for all, unless a view says otherwise."""
        return self.query_parameters

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not hasattr(self, str(request.method).lower()):
            return  # Then the method is what is wrong.
        allowed = self.known_parameters(request.method or "")
        known = allowed | {self.settings.URL_FORMAT_OVERRIDE}
        errors = {}
        for name, values in request.query_params.lists():
            if name not in known:
                errors[name] = [unknown_name("parameter", allowed)]
            elif len(values) > 1 and name not in self.repeatable:
                errors[name] = ["This parameter may be given only once."]
            elif request.version and "" in values and name not in self.flags:
                errors[name] = ["This parameter has no value. Leave it out, or give it one."]
        if errors:
            raise exceptions.ValidationError(errors)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        made = super().finalize_response(request, response, *args, **kwargs)
        is_got = request.method in ("GET", "HEAD") and made.status_code == status.HTTP_200_OK
        if is_got and isinstance(made, Response) and made.accepted_renderer.format != "api":
            made.add_post_render_callback(lambda rendered: _unless_known(request, rendered))
        return made


def _unless_known(request: Request, response: HttpResponse) -> HttpResponse:
    """The response, or 304 if the client has it already."""
    if not response.has_header("ETag"):
        set_response_etag(response)
    found = get_conditional_response(request, etag=response["ETag"], response=response)
    answer = cast(HttpResponse, found)
    if answer is not response and response.has_header("Retry-After"):
        answer["Retry-After"] = response["Retry-After"]
    return answer


def api_url(request: Request, name: str, *args: object) -> str:
    """The absolute URL of an endpoint, in the version of the API that was asked.

    The function of REST framework would hand on the `format` of the request, which may be the kind
    of a file.
    """
    versioned = f"{request.version}:{name}" if request.version else name
    return request.build_absolute_uri(reverse(versioned, args=args))


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
    """Every error is a problem; at URLs without a version it is ``{"detail": sentence}``.

    A wrong parameter also stands in ``errors``.
    """
    if isinstance(error, SuspiciousOperation):
        # Django's own limits, which tell of settings.
        error = exceptions.ParseError("The request is too large.")
    response = views.exception_handler(error, context)
    if response is None:
        return None
    errors, code = None, getattr(getattr(error, "detail", ""), "code", "")
    if isinstance(error, exceptions.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
        sentences = [f"{name}: {' '.join(map(str, said))}" for name, said in errors.items()]
        response.data = {"detail": " ".join(sentences), "errors": errors}
        code = "invalid"
    if not is_versioned(context["request"]):
        return response
    said = problem(
        str(response.data["detail"]), code=code, status=response.status_code, errors=errors
    )
    headers = {name: response[name] for name in KEPT if response.has_header(name)}
    return Problem(said, status=response.status_code, headers=headers)


def documented(endpoints: list[tuple[Any, ...]], **kwargs: Any) -> list[tuple[Any, ...]]:
    """The endpoints that the API's documentation lists: those of the newest version."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]
