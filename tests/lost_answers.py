"""A proxy before PostgreSQL that loses answers: what was committed is, and nobody is told."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# What a client sends before its first message, of which the first field is the length.
SSL_REQUEST = 80877103
STARTUP = struct.Struct("!ii")
LENGTH = struct.Struct("!i")
# A statement that begins like this and ends outside of a transaction has changed something.
CHANGES = (b"COMMIT", b"INSERT", b"UPDATE", b"DELETE", b"WITH")


@dataclass
class Proxy:
    """Loses the answer to the ``lose``-th change; ``statements`` are all that came, in order."""

    server: tuple[str, int]
    port: int = 0
    lose: int | None = None
    statements: list[bytes] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_lost(self, statement: bytes) -> bool:
        """Count a change that the server has answered, and say whether its answer is lost."""
        with self.lock:
            self.statements.append(statement)
            if len(self.statements) == self.lose:
                self.lost.append(statement)
                return True
        return False


class _Session:
    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.server = socket.create_connection(proxy.server)
        self.statement = b""
        for each in (client, self.server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pump in (self._to_server, self._to_client):
            threading.Thread(target=self._run, args=(pump,), daemon=True).start()

    def _run(self, pump: object) -> None:
        with suppress(OSError, EOFError):
            pump()  # type: ignore[operator]
        self.end()

    def end(self) -> None:
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _to_server(self) -> None:
        while True:
            start = _exactly(self.client, STARTUP.size)
            length, code = STARTUP.unpack(start)
            self.server.sendall(start + _exactly(self.client, length - STARTUP.size))
            if code != SSL_REQUEST:
                break
        while True:
            kind, message = _message(self.client)
            if kind == b"Q":
                self.statement = message[5:].lstrip()
            self.server.sendall(message)

    def _to_client(self) -> None:
        held = b""
        while True:
            kind, message = _message(self.server)
            held += message
            changes = self.statement[:6].upper().startswith(CHANGES)
            if kind == b"Z":
                is_over = message[5:6] == b"I"
                if is_over and changes and self.proxy.is_lost(self.statement):
                    return
            elif changes and len(held) < 1 << 16:
                continue  # the whole answer is lost, or none of it
            self.client.sendall(held)
            held = b""


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    """A message of the protocol (PostgreSQL manual, "Message Formats"): its kind, and all of it."""
    start = _exactly(source, 1 + LENGTH.size)
    (length,) = LENGTH.unpack(start[1:])
    return start[:1], start + _exactly(source, length - LENGTH.size)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        if not (part := source.recv(size - len(found))):
            raise EOFError
        found += part
    return bytes(found)


@contextmanager
def losing(host: str, port: int) -> Iterator[Proxy]:
    """A proxy before the server at this address."""
    proxy = Proxy((host, port))
    sessions: list[_Session] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    sessions.append(_Session(proxy, client))

        threading.Thread(target=accept, daemon=True).start()
        yield proxy
        for session in sessions:
            session.end()
