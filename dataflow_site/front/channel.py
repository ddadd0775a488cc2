"""A client's connection and its time limits."""

import fcntl
import logging
import socket
import struct
import termios
from contextlib import suppress
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

from dataflow_site.front import limits
from dataflow_site.front.answers import Answer, Rejection
from dataflow_site.front.limits import Watch
from dataflow_site.front.requests import Request
from dataflow_site.front.senders import may_send

logger = logging.getLogger(__name__)

# What is sent to a client before it is another one's turn.
TURN_BYTES = 4 << 20
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Channel(HTTPChannel):
    """Closes a connection whose client is too slow, and stops an answer that finds no room.

    What a client has not read of an answer is kept in temporary files, so that the thread that
    makes it, and its transaction, never wait for the client.
    """

    parser_class = Request
    task_class = Answer
    error_task_class = Rejection

    asking = False
    answers = 0
    allowance = 0
    bytes_sent = 0
    written_since_look = 0
    request: Request | None
    watch: Watch | None = None
    watched: tuple[object, ...] = ()

    def __init__(self, server: Any, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(server, sock, *args, **options)
        # Most requests have come with the connection, and need not wait for another turn.
        try:
            self.received(sock.recv(self.adj.recv_bytes))
        except OSError:
            pass
        except Exception:
            # Otherwise waitress would take it for one of the listening socket, and close that.
            self.handle_error()

    # What is waited for.

    def is_overdue(self, now: float, share: float) -> bool:
        """Whether the client has been too slow; ``share`` below 1 shortens what it is given."""
        request = self.request
        if self.total_outbufs_len:
            waits_for: tuple[object, ...] = ("reader", self.answers)
            seconds = limits.answer_seconds(self.bytes_sent + self.total_outbufs_len)
            passed = self.bytes_sent - self._in_kernel()
        elif self.requests or self.asking:
            # It is the client that waits.
            self.watch, self.watched = None, ()
            return False
        elif request is None:
            waits_for, passed = ("request", self.answers), 0
            seconds = limits.IDLE_SECONDS if self.answers else limits.HEADER_SECONDS
        elif request.headers_finished:
            waits_for, passed = ("body", request), request.body_bytes_received
            seconds = request.seconds
        else:
            waits_for, passed, seconds = ("headers", request), 0, limits.HEADER_SECONDS
        moves = waits_for[0] in ("reader", "body")
        if self.watch is None or waits_for != self.watched:
            self.watched, self.watch = waits_for, Watch(now, now, passed)
        if self.watch.is_late(now, seconds=seconds, share=1.0 if moves else share):
            return True
        return moves and self.watch.is_slow(now, passed, share=share)

    def drop(self) -> None:
        """Close the connection of a client that was too slow."""
        logger.info("Closed a connection of %s: too slow (%s)", self.addr[0], self.watched[0])
        if self.request is not None and not self.total_outbufs_len:
            with suppress(OSError):
                self.socket.send(TIMED_OUT)
        self.handle_close()

    def _in_kernel(self) -> int:
        """How much of what was sent the other side has not confirmed."""
        try:
            answer = fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4)
        except OSError:
            return 0
        return int(struct.unpack("i", answer)[0])

    # What comes in.

    def readable(self) -> bool:
        return not self.asking and super().readable()

    def received(self, data: bytes) -> bool:
        is_received: bool = super().received(data)
        request = self.request
        if request is not None and request.must_ask and not self.asking:
            self.asking = True
            self.server.add_task(Question(self, request))
        return is_received

    def go_on(self, request: Request, *, may_send: bool) -> None:
        """Take the rest of a body, or drop it."""
        self.asking = request.must_ask = False
        if not self.connected or request.body is None:
            return
        request.expect_continue = request.asks_first
        if not may_send:
            request.body.shorten()
            request.answer_at_once()
        with self.requests_lock:
            if request.completed:
                self.request = None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)
            elif request.expect_continue and not self.requests:
                self.send_continue()

    def handle_close(self) -> None:
        super().handle_close()
        if self.request is not None:
            self.request.close()

    # What goes out.

    def service(self) -> None:
        self.answers += 1
        super().service()

    def _flush_some(self, do_close: bool = True) -> bool:
        # A client that reads as fast as this writes is not to have the loop to itself.
        self.allowance = TURN_BYTES
        return bool(super()._flush_some(do_close))

    def send(self, data: bytes, do_close: bool = True) -> int:
        if self.allowance <= 0:
            return 0
        sent: int = super().send(data, do_close)
        self.bytes_sent += sent
        self.allowance -= sent
        return sent

    def write_soon(self, data: bytes) -> int:
        try:
            self.written_since_look += len(data)
            if self.written_since_look > limits.LOOK_BYTES:
                self.written_since_look = 0
                if self.total_outbufs_len > limits.LOOK_BYTES and not limits.has_room(0):
                    raise OSError("only the reserve is left")
            written: int = super().write_soon(data)
        except OSError as error:
            logger.warning("Stopped an answer: the temporary folder has no room (%s)", error)
            self.server.trigger.pull_trigger(self.handle_close)
            raise ClientDisconnected from error
        return written

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Let the thread go on, however much is still to be read."""


class Question:
    """A task for a thread: whether the sender of a request may send its body."""

    def __init__(self, channel: Channel, request: Request) -> None:
        self.channel = channel
        self.request = request

    def service(self) -> None:
        answer = False
        try:
            answer = may_send(WSGITask(self.channel, self.request).get_environment())
        finally:
            self.channel.server.trigger.pull_trigger(
                lambda: self.channel.go_on(self.request, may_send=answer)
            )
