"""Responses: by Django to complete requests, by the server itself to invalid ones."""

import json
import logging
from datetime import timedelta
from time import time
from types import SimpleNamespace
from typing import Any

from waitress.task import ErrorTask, WSGITask
from waitress.utilities import InternalServerError

from dataflow_site.front.refusals import REFUSAL
from ingestion.upload_handler import SHORTENED
from web.api.problems import MEDIA_TYPE, problem

logger = logging.getLogger(__name__)

# A proxy on this machine may say how it was reached.
LOCAL = {"127.0.0.1", "::1"}


class Answer(WSGITask):
    """Django's answer."""

    bytes_written = 0

    def service(self) -> None:
        # Unlike waitress, which takes every OSError for one of the socket: `Channel.write_soon`
        # raises those as another error.
        try:
            self.start()
            if self.channel.server.is_stopping or not self.request.is_read:
                self.set_close_on_finish()
            self.execute()
            self.finish()
        finally:
            self._log()

    def build_response_header(self) -> bytes:
        header: bytes = super().build_response_header()
        if self.request.command == "HEAD":
            # It says how the body would be sent, but there is none.
            self.chunked_response = False
        return header

    def write(self, data: bytes) -> None:
        super().write(data)
        self.bytes_written += len(data)

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["RAW_URI"] = self.request.request_uri
        environ["wsgi.multiprocess"] = True
        if environ["REMOTE_ADDR"] in LOCAL and environ.get("HTTP_X_FORWARDED_PROTO") == "https":
            environ["wsgi.url_scheme"] = "https"
        if self.request.refusal is not None:
            environ[REFUSAL] = self.request.refusal
            environ["CONTENT_LENGTH"] = "0"
        if self.request.is_shortened:
            environ[SHORTENED] = True
        return environ

    def _log(self) -> None:
        """Write a line to gunicorn's access log, if it is switched on."""
        answer = SimpleNamespace(
            status=self.status, headers=self.response_headers, sent=self.bytes_written
        )
        request = SimpleNamespace(headers=list(self.request.headers.items()))
        took = timedelta(seconds=time() - self.start_time)
        self.channel.server.log.access(answer, request, self.get_environment(), took)


class Rejection(ErrorTask):
    """The answer to what is no request, or none that the server can read."""

    def execute(self) -> None:
        error = self.request.error
        if not isinstance(error, InternalServerError):
            logger.warning("Rejected a request from %s: %s", self.channel.addr[0], error.body)
        if self.request.is_for_api:
            self.request.error = Problem(error)
        super().execute()


class Problem:
    """An error of waitress as problem details (RFC 9457)."""

    def __init__(self, error: Any) -> None:
        self.code, self.reason = error.code, error.reason
        self.body = json.dumps(problem(f"{error.reason}: {error.body}.", status=error.code))

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [("Content-Type", MEDIA_TYPE)]
        return f"{self.code} {self.reason}", headers, self.body.encode()


def without_body_for_head(application: Any) -> Any:
    """The application, which is not asked for the body of an answer that has none."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        answer = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return answer
        if hasattr(answer, "close"):
            answer.close()
        return []

    return serve
