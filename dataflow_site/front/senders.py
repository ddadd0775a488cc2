"""Checks who may upload files before a body is received, so that nothing else reaches the disk."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.urls import resolve

from accounts.models import TokenScope
from accounts.tokens.identify import Refused, identify, sent_text
from ingestion.upload_handler import may_upload


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
        text = sent_text(request.headers.get("Authorization", ""))
        token = None if text is None else identify(text)
    except Refused:
        return AnonymousUser()
    if token is not None:
        return token.owner if token.scope == TokenScope.WRITE else AnonymousUser()
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return get_user(request)
