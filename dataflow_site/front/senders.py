"""Checks who may upload files before a body is received, so that nothing else reaches the disk."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.urls import resolve
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ingestion.upload_handler import may_upload
from web.api.requests import TokenFirst


def may_send(environ: dict[str, Any]) -> bool:
    """Whether the request of this WSGI environment is by a user who may upload files.

    A request without a session and without a token is not, which takes no look into the database.
    """
    request = WSGIRequest(environ)
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    if not (has_session or "HTTP_AUTHORIZATION" in environ):
        return False
    request.resolver_match = resolve(request.path_info)
    close_old_connections()
    try:
        request.user = _user(request)
        return may_upload(request)
    finally:
        close_old_connections()


def _user(request: WSGIRequest) -> Any:
    try:
        found = TokenFirst().authenticate(Request(request))
    except AuthenticationFailed:
        return AnonymousUser()
    if found is not None:
        return found[0]
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return get_user(request)
