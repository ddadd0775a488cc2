"""Request bodies: received in memory, then in an unnamed temporary file."""

import io
from contextlib import suppress
from typing import IO

from waitress.buffers import OverflowableBuffer
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest

from dataflow_site.front import limits
from dataflow_site.front.refusals import NO_ROOM, Refusal

IN_MEMORY_BYTES = 1 << 17
# What is kept of a body that nobody may send, or that is too large: the fields of a form that come
# before its file, and its last line. Django answers these as it does any other.
KEPT_AT_THE_BEGINNING = 1 << 16
KEPT_AT_THE_END = 1 << 12
LONGEST_CHUNK_LINE = 1 << 10
LONGEST_TRAILER = 1 << 13


class Body(OverflowableBuffer):
    """What has come of a body. What is too much is received and dropped, so that the client, which
    reads the answer only when it has sent everything, gets it."""

    def __init__(self, limit: int, *, over_limit: Refusal | None = None) -> None:
        """Keep up to ``limit`` bytes. Of more, nothing and the refusal, or else both ends."""
        super().__init__(IN_MEMORY_BYTES)
        self.limit = limit
        self.over_limit = over_limit
        self.received = 0
        self.looked_at = 0
        self.refusal: Refusal | None = None
        self.is_shortened = False
        self.end = b""

    def __len__(self) -> int:
        """How much was sent."""
        return self.received

    def append(self, data: bytes) -> None:
        self.received += len(data)
        if self.refusal is not None:
            return
        if self.received > self.limit and not self.is_shortened:
            if self.over_limit is not None:
                self.refuse(self.over_limit)
                return
            self.shorten()
        if self.is_shortened:
            room = max(KEPT_AT_THE_BEGINNING - super().__len__(), 0)
            if room:
                super().append(data[:room])
            self.end = (self.end + data[room:])[-KEPT_AT_THE_END:]
            return
        try:
            if self.overflowed and self.received - self.looked_at > limits.LOOK_BYTES:
                self.looked_at = self.received
                if not limits.has_room(0):
                    self.refuse(NO_ROOM)
                    return
            super().append(data)
        except OSError:
            self.refuse(NO_ROOM)

    def refuse(self, refusal: Refusal) -> None:
        """Keep nothing."""
        self.refusal = refusal
        self._forget()

    def shorten(self) -> None:
        """Keep both ends only."""
        self.is_shortened = True
        beginning = self.get(KEPT_AT_THE_BEGINNING)
        self._forget()
        super().append(beginning[:KEPT_AT_THE_BEGINNING])

    def getfile(self) -> IO[bytes]:
        if self.is_shortened:
            return io.BytesIO(self.get() + self.end)
        file: IO[bytes] = super().getfile()
        return file

    def close(self) -> None:
        # What could not be written before can't be written when the file is closed, either.
        with suppress(OSError):
            super().close()

    def _forget(self) -> None:
        self.close()
        self.buf, self.strbuf, self.overflowed = None, b"", False


class Chunks(ChunkedReceiver):
    """A body that is sent in chunks, between which nothing grows without a limit."""

    error: BadRequest | None

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        too_long = (
            len(self.control_line) > LONGEST_CHUNK_LINE or len(self.trailer) > LONGEST_TRAILER
        )
        if too_long and self.error is None:
            self.error = BadRequest("Invalid chunk")
        return consumed
