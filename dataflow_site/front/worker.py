"""A worker process of gunicorn that serves with waitress.

Gunicorn starts the processes, looks after them and stops them. Waitress reads requests as a whole
before a thread answers them, and keeps what a client has not read yet of an answer: so threads
and transactions of the database never wait for a client.
"""

import os
import time
from types import FrameType
from typing import TYPE_CHECKING

from gunicorn.workers.base import Worker
from waitress import wasyncore

from dataflow_site.front.threads import Threads

if TYPE_CHECKING:
    from dataflow_site.front.server import Server

TURN_SECONDS = 1.0


class WebWorker(Worker):
    """Serves on the sockets that gunicorn has opened."""

    servers: "list[Server]" = []

    def run(self) -> None:
        # Gunicorn imports this module before it loads the application, which these need.
        from dataflow_site.front.answers import without_body_for_head
        from dataflow_site.front.server import Server, adjustments

        threads = Threads(self.cfg.threads)
        self.connections: dict[int, wasyncore.dispatcher] = {}
        adj = adjustments(self.cfg.threads)
        self.servers = [
            Server(
                without_body_for_head(self.wsgi),
                self.connections,
                _sock=listener.sock,
                dispatcher=threads,
                adj=adj,
                sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
                bind_socket=False,
                log=self.log,
            )
            for listener in self.sockets
        ]
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._stop()

    def _turn(self, seconds: float = TURN_SECONDS) -> None:
        # Gunicorn kills a worker from which it hears nothing: this loop, which nothing may block.
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=self.connections, count=1)

    def _stop(self) -> None:
        """Accept nothing more, and finish what has been asked for while there is time."""
        for server in self.servers:
            server.stop_accepting()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        self._turn(0)
        while any(server.is_busy for server in self.servers) and time.monotonic() < deadline:
            self._turn(0.1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        for server in self.servers:
            server.pull_trigger()
