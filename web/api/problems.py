"""Errors of the API as problem details (RFC 9457), each with a code of one catalogue.

Codes are stable: clients may rely on them. URLs without a version answer as they always have, with
``detail`` and ``errors`` alone.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest, JsonResponse
from django.urls import Resolver404, ResolverMatch, resolve
from rest_framework.response import Response
from rest_framework.views import APIView

MEDIA_TYPE = "application/problem+json"
# Where the catalogue is: the ``type`` of a problem is its code behind this.
TYPES = "/api/v1/problems/"
API = "/api/"


class Kind(NamedTuple):
    """A kind of problem: its status, a title, and what it means."""

    status: int
    title: str
    meaning: str


CATALOGUE = {
    "parse_error": Kind(
        400, "Unreadable request", "The body is malformed, or the request can't be processed."
    ),
    "invalid": Kind(
        400, "Invalid value", "Parameters or fields are wrong; `errors` says what, by their names."
    ),
    "not_authenticated": Kind(401, "Not authenticated", "The request has no credentials."),
    "authentication_failed": Kind(
        401, "Authentication failed", "The credentials are wrong, expired or revoked."
    ),
    "permission_denied": Kind(
        403, "Permission denied", "You may not do this; `detail` names the permission."
    ),
    "not_found": Kind(
        404, "Not found", "There is nothing at this URL, or nothing that you may see."
    ),
    "method_not_allowed": Kind(
        405, "Method not allowed", "The URL does not take this method; `Allow` lists its methods."
    ),
    "not_acceptable": Kind(
        406, "Not acceptable", "The response can't have any of the media types in `Accept`."
    ),
    "conflict": Kind(
        409,
        "Conflict",
        "The state of the thing does not allow this, such as undoing an active run.",
    ),
    "precondition_failed": Kind(
        412, "Precondition failed", "The record has changed since you read it (`If-Match`)."
    ),
    "too_large": Kind(413, "Request too large", "The body exceeds a limit."),
    "uri_too_long": Kind(414, "URL too long", "The URL exceeds 32 kB."),
    "unsupported_media_type": Kind(
        415, "Unsupported media type", "The URL does not take a body of this Content-Type."
    ),
    "unprocessable": Kind(
        422, "Can't be done", "The request can be read, but what it asks for can't be done."
    ),
    "throttled": Kind(
        429, "Too many requests", "A limit has been reached; repeat after `Retry-After` seconds."
    ),
    "headers_too_large": Kind(
        431, "Headers too large", "The URL and the headers together exceed 32 kB."
    ),
    "error": Kind(500, "Server error", "The server failed; its log has the details."),
    "took_too_long": Kind(
        503, "Took too long", "The query was stopped. Narrow the filter, or repeat it later."
    ),
    "unavailable": Kind(
        503,
        "Unavailable",
        "The server can't do this at the moment; repeat it after `Retry-After` seconds.",
    ),
    "no_room": Kind(507, "No disk space", "The server's disk is full. Nothing was saved."),
}
CODES = list(CATALOGUE)
BY_STATUS = {kind.status: code for code, kind in reversed(CATALOGUE.items())}


class Problem(Response):
    """A response that is a problem, whatever JSON is called otherwise."""

    @property
    def rendered_content(self) -> Any:
        if self.accepted_renderer.format != "api":
            self.content_type = MEDIA_TYPE
        return super().rendered_content


def problem(
    detail: str,
    *,
    code: str = "",
    status: int | None = None,
    errors: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The members of a problem, by its code or, if that is not in the catalogue, its status."""
    if code not in CATALOGUE or status not in (None, CATALOGUE[code].status):
        code = BY_STATUS.get(status or 500, "error" if (status or 500) >= 500 else "parse_error")
    kind = CATALOGUE[code]
    return {
        "type": f"{TYPES}{code}",
        "title": kind.title,
        "status": status or kind.status,
        "code": code,
        "detail": detail,
        **({"errors": errors} if errors else {}),
    }


def problem_answer(request: HttpRequest, detail: str, *, status: int) -> JsonResponse:
    """The answer of what is no view of the API: a middleware, or the handler of an error."""
    said = problem(detail, status=status)
    if is_versioned(request):
        return JsonResponse(said, status=status, content_type=MEDIA_TYPE)
    return JsonResponse({"detail": detail}, status=status)


def is_api(path: str) -> bool:
    """Whether a URL belongs to the API: it lies under /api/, or an endpoint answers it."""
    found = _match(path)
    if found is None:
        return path.startswith(API)
    return issubclass(getattr(found.func, "cls", object), APIView)


def is_versioned(request: HttpRequest) -> bool:
    """Whether errors are problem details: not at the older URLs, which answer as ever."""
    found = request.resolver_match or _match(request.path_info)
    return found is None or bool(found.namespace)


def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None
