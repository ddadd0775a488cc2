"""A listening socket and its connections."""

import resource
import time
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.wasyncore import dispatcher

from dataflow_site.front import limits
from dataflow_site.front.channel import Channel

MOST_CONNECTIONS = 1_000
# A connection has a socket, and may have a body and an answer in temporary files.
FILES_A_CONNECTION = 3
OTHER_FILES = 100
# An answer in temporary files is given free in pieces of this size as it is read.
PIECE_BYTES = 64 << 20


def adjustments(threads: int) -> Adjustments:
    """How waitress is set up."""
    return Adjustments(
        threads=threads,
        ident=None,
        backlog=2048,
        recv_bytes=1 << 16,
        connection_limit=connection_limit(),
        asyncore_use_poll=True,
        cleanup_interval=1,
        max_request_header_size=limits.HEADER_BYTES,
        # `Request` has limits of its own.
        max_request_body_size=1 << 62,
        outbuf_high_watermark=PIECE_BYTES,
        log_socket_errors=False,
        # Settings say which of them Django believes.
        clear_untrusted_proxy_headers=False,
    )


def connection_limit() -> int:
    """How many connections a process can have, with as many open files as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS * FILES_A_CONNECTION + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, (soft - OTHER_FILES) // FILES_A_CONNECTION))


class Server(TcpWSGIServer):
    """Accepts connections, and closes those whose clients are too slow."""

    channel_class = Channel
    is_stopping = False

    def __init__(self, *args: Any, log: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Gunicorn's, with its access log.
        self.log = log
        self.server_name = self.effective_host

    def maintenance(self, now: float) -> None:
        now = time.monotonic()
        # Where connections become scarce, nobody may be slow for long.
        is_full = len(self.active_channels) > self.adj.connection_limit * 0.9
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now, 0.2 if is_full else 1.0):
                channel.drop()

    def stop_accepting(self) -> None:
        """Close the socket on which others connect; those who have are served."""
        self.is_stopping = True
        dispatcher.close(self)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being made or read."""
        return any(
            channel.requests or channel.total_outbufs_len
            for channel in self.active_channels.values()
        )
