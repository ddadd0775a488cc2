"""Cross-origin requests (CORS): which pages of other sites may call the API from a browser."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers

from web.api.problems import is_api

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# What requests may send, and what scripts may read of responses.
HEADERS = "Accept, Authorization, Content-Type, Idempotency-Key, If-None-Match"
EXPOSED = "Content-Disposition, Deprecation, ETag, Link, Location, Retry-After, Sunset"
KEPT_SECONDS = 3600


class CrossOrigin:
    """Lets pages of CORS_ORIGINS call the API.

    Cookies are not allowed, so such pages need a token. A preflight is answered before anything
    asks who sends it: it has no credentials by design. Without an allowed origin it allows nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = request.headers.get("Origin")
        if origin is None or not is_api(request.path_info):
            return self.get_response(request)
        is_allowed = origin in settings.CORS_ORIGINS
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: HttpResponseBase = HttpResponse(status=204)
            if is_allowed:
                response["Access-Control-Allow-Methods"] = METHODS
                response["Access-Control-Allow-Headers"] = HEADERS
                response["Access-Control-Max-Age"] = str(KEPT_SECONDS)
        else:
            response = self.get_response(request)
        if is_allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = EXPOSED
        patch_vary_headers(response, ["Origin"])
        return response
