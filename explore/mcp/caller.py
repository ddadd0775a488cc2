"""Calls endpoints of the API in this process, with the token of whoever asks.

A tool does what the API does because it asks the API: parameters, rights, limits and errors have
one definition.
"""

import io
import json
from collections.abc import Mapping
from typing import Any, Self, cast
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, Resolver404, ResolverMatch, resolve, reverse

from accounts.audit.actor import serving
from web.api.problems import problem

# What a call takes over of the request that it is made for: who sent it, from where, to which host.
KEPT = (
    "HTTP_AUTHORIZATION",
    "HTTP_HOST",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "REMOTE_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.url_scheme",
)


class Failed(Exception):
    """A tool that can't answer: ``problem`` says why, as errors of the API do."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__(said["detail"])
        self.problem = dict(said)


class Caller:
    """Whoever asks, known by a token. ``user`` is its owner once a call has been answered."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = dict(environ)
        self.user: Any = None

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """The sender of a request."""
        return cls({name: request.META[name] for name in KEPT if name in request.META})

    @classmethod
    def with_token(cls, token: str, *, site: str) -> Self:
        """Somebody on this machine with a token; ``site`` is the URL that links lead to."""
        url = urlsplit(site)
        return cls(
            {
                "HTTP_AUTHORIZATION": f"Bearer {token}",
                "HTTP_HOST": url.netloc,
                "HTTP_X_FORWARDED_PROTO": url.scheme,
                "SERVER_NAME": url.hostname or "",
                "SERVER_PORT": str(url.port or ""),
                "wsgi.url_scheme": url.scheme,
            }
        )

    def get(self, name: str, *args: object, query: Mapping[str, Any] | None = None) -> Any:
        """What the endpoint of this name answers. Raises Failed."""
        return self._call("GET", name, args, query=query or {})

    def post(self, name: str, *args: object, body: Mapping[str, Any]) -> Any:
        """What the endpoint answers to a body. Raises Failed."""
        return self._call("POST", name, args, body=json.dumps(body).encode())

    def url(self, path: str) -> str:
        """The whole URL of a page."""
        return self._request("GET", "/").build_absolute_uri(path)

    def _call(
        self,
        method: str,
        name: str,
        args: tuple[object, ...],
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes = b"",
    ) -> Any:
        path, match = _endpoint(name, args)
        request = self._request(method, path, urlencode(query or {}, doseq=True), body)
        request.resolver_match = match
        with serving(request):
            answer = cast(HttpResponse, convert_exception_to_response(_view)(request))
        said = _content(answer)
        if answer.status_code >= 400:
            raise Failed(said)
        self.user = request.user
        return said

    def _request(self, method: str, path: str, query: str = "", body: bytes = b"") -> WSGIRequest:
        return WSGIRequest(
            {
                **self._environ,
                "REQUEST_METHOD": method,
                "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
                "QUERY_STRING": query,
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_ACCEPT": "application/json",
                "wsgi.input": io.BytesIO(body),
            }
        )


def _view(request: HttpRequest) -> HttpResponse:
    """The rendered answer of the view that the request was resolved to."""
    match = request.resolver_match
    answer = match.func(request, *match.args, **match.kwargs)  # type: ignore[union-attr]
    return cast(HttpResponse, answer.render())


def _endpoint(name: str, args: tuple[object, ...]) -> tuple[str, ResolverMatch]:
    """The path of an endpoint of version 1, and its view. Raises Failed."""
    try:
        path = reverse(f"v1:{name}", args=args)
        return path, resolve(unquote_to_bytes(path).decode())
    except (NoReverseMatch, Resolver404):
        # A name or id that no URL can hold.
        raise Failed(problem("There is nothing of this name or ID.", code="not_found")) from None


def _content(answer: HttpResponse) -> Any:
    """The JSON of an answer; that of a fault of the server, if it has none."""
    if "json" in answer.get("Content-Type", ""):
        return json.loads(answer.content)
    return problem("The server ran into an unexpected error.", code="error")
