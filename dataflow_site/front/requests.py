"""Parses requests: which are refused, and how much of a body is received."""

import re
from typing import Any

from django.conf import settings
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.utilities import RequestHeaderFieldsTooLarge

from dataflow_site.front import limits
from dataflow_site.front.bodies import IN_MEMORY_BYTES, Body, Chunks
from dataflow_site.front.refusals import NO_ROOM, TOO_LARGE, Refusal
from ingestion.upload_handler import ALLOWANCE, takes_files

# As much of a request is looked at to tell whom it was sent to.
FIRST_BYTES = 40
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
NOT_ASCII = re.compile(rb"[\x80-\xff]")


class URITooLong(RequestHeaderFieldsTooLarge):
    """The error for a first line that exceeds what a request may have before its body."""

    code = 414
    reason = "URI Too Long"


class Request(HTTPRequestParser):
    """One request. Its body goes to Django as a whole, or as what `Body` keeps of it."""

    body: Body | None = None
    body_rcv: Any
    # Whether it must be asked if the sender may send the body before more of it is read.
    must_ask = False
    # Whether the client then waits for a word before it sends more.
    asks_first = False
    # How long the body may take.
    seconds = 0.0
    # Until its first line has been read.
    command = path = request_uri = ""
    # The beginning of the first line, whether it can be read or not.
    first_bytes = b""

    @property
    def refusal(self) -> Refusal | None:
        return self.body.refusal if self.body is not None else None

    @property
    def is_shortened(self) -> bool:
        return self.body is not None and self.body.is_shortened

    @property
    def is_read(self) -> bool:
        """Whether all that the client was about to send has been received."""
        return self.body_rcv is None or bool(self.body_rcv.completed)

    @property
    def is_for_api(self) -> bool:
        """Whether it was sent to the API, as far as its first line tells."""
        return b" /api/" in self.first_bytes

    def received(self, data: bytes) -> int:
        if not self.headers_finished and len(self.first_bytes) < FIRST_BYTES:
            self.first_bytes += data[: FIRST_BYTES - len(self.first_bytes)]
        before = self.header_plus
        taken: int = super().received(data)
        if isinstance(self.error, RequestHeaderFieldsTooLarge):
            first_line = (before + data)[: self.adj.max_request_header_size]
            if b"\n" not in first_line:
                self.error = URITooLong(self.error.body)
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        first_line, end, headers = header_plus.partition(b"\r\n")
        if CONTROL.search(first_line):
            raise ParsingError("Control characters in the request line")
        # An address may be sent as it is typed.
        first_line = NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], first_line)
        try:
            super().parse_header(first_line + end + headers)
        except ValueError as error:
            raise ParsingError("Bad URI") from error
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Both Content-Length and Transfer-Encoding")
        if self.body_rcv is None:
            self.expect_continue = False
        else:
            self._begin_body()

    def _begin_body(self) -> None:
        small = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + ALLOWANCE
        length = None if self.chunked else self.content_length
        path = self.path.encode("latin-1").decode(errors="replace")
        may_be_large = (length is None or length > IN_MEMORY_BYTES) and takes_files(path)
        if may_be_large:
            # One that is known to be too large is not written to the disk to its limit.
            self.body = Body(settings.MAX_UPLOAD_BYTES + ALLOWANCE)
            if length is not None and length > self.body.limit:
                self.body.shorten()
            elif length is not None and not limits.has_room(length):
                self.body.refuse(NO_ROOM)
            else:
                self.must_ask = True
                self.asks_first, self.expect_continue = self.expect_continue, False
        else:
            self.body = Body(small, over_limit=TOO_LARGE)
            if length is not None and length > small:
                self.body.refuse(TOO_LARGE)
        self.seconds = limits.body_seconds(self.body.limit)
        self.body_rcv = (
            Chunks(self.body) if self.chunked else FixedStreamReceiver(length, self.body)
        )
        if self.refusal or self.is_shortened:
            self.answer_at_once()

    def answer_at_once(self) -> None:
        """Let a client that asks before it sends a body that isn't taken keep it."""
        if self.expect_continue:
            self.expect_continue = False
            self.completed = True
