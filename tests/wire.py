"""Clients that speak HTTP byte by byte, some of them slowly."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HOST = b"Host: localhost\r\n"


def talk(port: int, sent: bytes, *, seconds: float = 20, half_close: bool = False) -> bytes:
    """What the server answers until it closes the connection, or is silent for so long."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.sendall(sent)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection or is silent for too long."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except (TimeoutError, ConnectionResetError):
        pass
    return b"".join(parts)


class Drips:
    """Connections on each of which one byte more is sent every second."""

    def __init__(self, port: int, count: int, start: bytes) -> None:
        self.began = time.monotonic()
        self.open = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(count)]
        self.seconds: list[float] = []
        self.ending = threading.Event()
        for connection in self.open:
            connection.sendall(start)
            connection.setblocking(False)
        self.thread = threading.Thread(target=self._drip)
        self.thread.start()

    def _drip(self) -> None:
        while not self.ending.wait(1):
            for connection in list(self.open):
                if self._is_closed(connection):
                    self.seconds.append(time.monotonic() - self.began)
                    self.open.remove(connection)
                    connection.close()

    def _is_closed(self, connection: socket.socket) -> bool:
        try:
            connection.send(b"x")
            return not connection.recv(1 << 12)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def are_gone(self) -> bool:
        """Whether the server has closed all of them."""
        return not self.open

    def end(self) -> None:
        self.ending.set()
        self.thread.join()
        for connection in self.open:
            connection.close()


@contextmanager
def drips(port: int, count: int, start: bytes) -> Iterator[Drips]:
    """So many slow clients, for as long as the block lasts."""
    slow = Drips(port, count, start)
    try:
        yield slow
    finally:
        slow.end()


@contextmanager
def sips(readers: list[socket.socket]) -> Iterator[dict[socket.socket, bytes]]:
    """What connections have been sent so far, a few kilobytes of which are taken every second."""
    taken = dict.fromkeys(readers, b"")
    ending = threading.Event()

    def sip() -> None:
        while not ending.wait(1):
            for reader in select.select(readers, [], [], 0)[0]:
                taken[reader] += reader.recv(1 << 13)

    thread = threading.Thread(target=sip)
    thread.start()
    try:
        yield taken
    finally:
        ending.set()
        thread.join()


def how_often(works: Callable[[], bool], *, tries: int = 20, pause: float = 0.1) -> int:
    """How many of some tries, shortly after each other, work."""
    count = 0
    for _ in range(tries):
        count += works()
        time.sleep(pause)
    return count
