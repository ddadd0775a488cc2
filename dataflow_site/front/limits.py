"""Limits on time and space per client. Pure: no Django, no sockets."""

import shutil
import tempfile
from dataclasses import dataclass

# The headers of a request have to be there after so long, and are no larger than this: the longest
# record key, percent-encoded, fits in several times.
HEADER_SECONDS = 15.0
HEADER_BYTES = 1 << 15
# A connection without a request is kept for so long.
IDLE_SECONDS = 30.0
# While a body is sent or an answer is read, that many bytes must pass in each window of time.
WINDOW_SECONDS = 20.0
WINDOW_BYTES = 20_000
# All in all a body or an answer gets this time, and more by its size.
BODY_SECONDS = 60.0
ANSWER_SECONDS = 600.0
BYTES_PER_SECOND = 64_000
# Between two looks at how much disk space is left.
LOOK_BYTES = 16 << 20
# So much disk space is left for everything else on the machine.
MOST_RESERVED_BYTES = 256 << 20
RESERVED_SHARE = 20


@dataclass(slots=True)
class Watch:
    """Tells when a client has been too slow at one thing, such as sending one body."""

    began: float
    window_began: float
    window_bytes: int = 0

    def is_late(self, now: float, *, seconds: float, share: float = 1.0) -> bool:
        """Whether it took longer than ``seconds``; less ``share`` than 1 shortens them."""
        return now - self.began > seconds * share

    def is_slow(self, now: float, passed: int, *, share: float = 1.0) -> bool:
        """Whether too few bytes have passed in the last window; ``passed`` counts all of them."""
        if now - self.window_began <= WINDOW_SECONDS * share:
            return False
        is_slow = passed - self.window_bytes < WINDOW_BYTES * share
        self.window_began, self.window_bytes = now, passed
        return is_slow


def body_seconds(limit: int) -> float:
    """How long a body may take that may have ``limit`` bytes."""
    return BODY_SECONDS + limit / BYTES_PER_SECOND


def answer_seconds(length: int) -> float:
    """How long a client may take to read an answer of so many bytes."""
    return ANSWER_SECONDS + length / BYTES_PER_SECOND


def has_room(length: int) -> bool:
    """Whether so many bytes can be written to the temporary folder, and the reserve is left."""
    disk = shutil.disk_usage(tempfile.gettempdir())
    return disk.free - length > min(MOST_RESERVED_BYTES, disk.total // RESERVED_SHARE)
