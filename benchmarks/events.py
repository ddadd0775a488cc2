"""Measures how fast events are taken: in bodies of 500, and one by one from 8 clients.

Prints events a second, and how long an answer takes (median, and 95 % of all).
"""

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

BULK = 500
CLIENTS = 8


def send(url: str, token: str, source: str, client: int, size: int, seconds: float) -> list[float]:
    """Send bodies of so many events for so long; how long each answer took."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    until = time.monotonic() + seconds
    took: list[float] = []
    for turn in count():
        if time.monotonic() > until:
            break
        events = [
            {
                "id": f"{client}-{turn:06}-{place:03}",
                "at": "2026-03-04T05:06:07Z",
                "amount": place * 1.25,
                "shop": f"shop {place % 9}",
                "item": f"item {place % 99}",
            }
            for place in range(size)
        ]
        began = time.perf_counter()
        connection.request("POST", f"/api/v1/sources/{source}/events", json.dumps(events), headers)
        answer = connection.getresponse()
        said = answer.read()
        took.append(time.perf_counter() - began)
        if answer.status != 201:
            sys.exit(f"{answer.status}: {said.decode()}")
    return took


def measure(url: str, token: str, *, clients: int, size: int, seconds: float) -> None:
    source = f"events_{size}_{int(time.time())}"
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        turns = [
            pool.submit(send, url, token, source, client, size, seconds)
            for client in range(clients)
        ]
        took = sorted(each for turn in turns for each in turn.result())
    rate = len(took) * size / (time.monotonic() - began)
    half, most = statistics.median(took), took[int(len(took) * 0.95)]
    print(
        f"{clients} clients, bodies of {size}: {rate:,.0f} events/s, "
        f"p50 {half * 1000:.0f} ms, p95 {most * 1000:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog=Path(__file__).name)
    parser.add_argument("url", help="URL of a started server")
    parser.add_argument("token", help="API token that may import")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each part takes")
    given = parser.parse_args()
    url, token, seconds = given.url, given.token, given.seconds
    measure(url, token, clients=2, size=BULK, seconds=seconds)
    measure(url, token, clients=CLIENTS, size=1, seconds=seconds)


if __name__ == "__main__":
    main()
