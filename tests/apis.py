"""Real HTTP servers on loopback that answer as APIs do, and as they fail."""

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROWS = [{"id": f"r{number:04}", "value": number} for number in range(103)]
PER_PAGE = 10


@dataclass
class Request:
    """What an API was asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """What it answers; ``short`` leaves out so many bytes of what it announces."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    short: int = 0


@dataclass
class API:
    """A server: its address, and all that it was asked."""

    url: str
    port: int
    requests: list[Request] = field(default_factory=list)


@contextmanager
def serving(
    answer: Callable[[Request], Reply],
    *,
    trouble: float = 0,
    silence: float = 0,
    host: str = "127.0.0.1",
) -> Iterator[API]:
    """An API that answers by ``answer``.

    ``trouble`` is the share of requests that it answers by 429, 500, a reset connection, a body
    that breaks off, or by saying nothing for ``silence`` seconds.
    """
    chance = random.Random(7)  # noqa: S311
    api = API("", 0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *ignored: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            request = Request(parts.path, query, dict(self.headers))
            api.requests.append(request)
            reply = answer(request)
            if chance.random() < trouble:
                reply = self.trouble(reply)
            self.send(reply)

        def trouble(self, reply: Reply) -> Reply:
            kind = chance.choice(["429", "500", "reset", "half", "silence"])
            if kind == "silence":
                time.sleep(silence)
            if kind == "429":
                return Reply(b"slow down", 429, {"Retry-After": "0"})
            if kind == "500":
                return Reply(b"<h1>oops</h1>", 500)
            return Reply(reply.body, reply.status, reply.headers, 10 if kind == "half" else 1 << 30)

        def send(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if reply.short >= 1 << 30:
                # Closed like this, the connection is reset rather than ended.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - reply.short])
            self.close_connection = bool(reply.short)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server((host, 0), Handler)
    api.port = server.server_port
    api.url = f"http://{host}:{api.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def rows_by(style: str) -> Callable[[Request], Reply]:
    """An API of ROWS with pages of that style."""

    def answer(request: Request) -> Reply:
        query = request.query
        if style == "none":
            return Reply({"data": {"items": ROWS}})
        start = {
            "page": (int(query.get("page", 1)) - 1) * PER_PAGE,
            "offset": int(query.get("offset", 0)),
            "cursor": int(query.get("after", "c0")[1:]),
        }.get(style, int(query.get("from", 0)))
        end = start + PER_PAGE
        body: dict[str, Any] = {"data": {"items": ROWS[start:end]}, "meta": {}}
        headers = {}
        if end < len(ROWS):
            body["meta"] = {"next": f"/rows?from={end}", "cursor": f"c{end}"}
            if style == "link":
                headers["Link"] = f'</rows?from=0>; rel="first", </rows?from={end}>; rel="next"'
        return Reply(body, headers=headers)

    return answer
