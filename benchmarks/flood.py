"""How long others wait while one client sends 200 requests a second.

    python -m benchmarks.flood [--requests 200] [--rate 200]

measures on the database of DATABASE_URL, or on that of this folder, which has to be migrated. It
starts two gunicorn workers with the limits of an installation, and asks for pages and records as
a person does, ten times a second: alone, and beside a client that sends as many requests as
``--rate`` says, with a token of its own from another address. 95 of 100 answers may take at most
twice as long as alone.
"""

import argparse
import http.client
import multiprocessing
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import django

MOST_SLOWER = 2.0
FLOODING, OTHER = "127.0.0.2", "127.0.0.3"
PAGES = ("/", "/explore/", "/api/v1/records?limit=10", "/sources/")
CONNECTIONS = 8
# Answers that fill caches are not counted.
WARM, PAUSE_SECONDS = 12, 0.1


def measure(url: str, headers: dict[str, str], number: int) -> list[float]:
    """The seconds that each of some answers takes."""
    address = urlsplit(url)
    found = []
    for each in range(WARM + number):
        began = time.perf_counter()
        # A connection for each, as requests are then shared out among the workers.
        client = http.client.HTTPConnection(
            address.hostname or "", address.port, source_address=(OTHER, 0), timeout=60
        )
        client.request("GET", PAGES[each % len(PAGES)], headers=headers)
        answer = client.getresponse()
        answer.read()
        client.close()
        if answer.status != 200:
            raise SystemExit(f"{PAGES[each % len(PAGES)]} answered {answer.status}.")
        found.append(time.perf_counter() - began)
        time.sleep(PAUSE_SECONDS)
    return found[WARM:]


def send(url: str, token: str, rate: int, ended: Any, told: Any) -> None:
    """Send so many requests a second until it has ended, and tell how they were answered."""
    answers: Counter[int] = Counter()
    address = urlsplit(url)

    def ask() -> None:
        client = http.client.HTTPConnection(
            address.hostname or "", address.port, source_address=(FLOODING, 0), timeout=60
        )
        due = time.perf_counter()
        while not ended.is_set():
            client.request("GET", "/api/v1/records", headers={"Authorization": f"Token {token}"})
            answer = client.getresponse()
            answer.read()
            answers[answer.status] += 1
            due += CONNECTIONS / rate
            time.sleep(max(due - time.perf_counter(), 0))

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(dict(answers))


@contextmanager
def flood(url: str, token: str, rate: int) -> Iterator[Any]:
    """The requests come from a process of their own; the queue then has the answers by status."""
    context = multiprocessing.get_context("spawn")
    ended, told = context.Event(), context.Queue()
    process = context.Process(target=send, args=(url, token, rate, ended, told))
    process.start()
    try:
        yield told
    finally:
        ended.set()
        process.join(60)


def p95(seconds: list[float]) -> float:
    return 1000 * statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="of the other client, each time")
    parser.add_argument("--rate", type=int, default=200, help="requests a second of the flood")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from django.contrib.auth.models import Group, User

    from accounts.tokens.manage import create_token
    from benchmarks.pages import served

    sender = User.objects.create_user("benchmark-flood")
    sender.groups.add(Group.objects.get(name="Viewer"))
    _, token = create_token(owner=sender, name="flood")
    try:
        with served() as (url, cookie):
            wait_for_server(url)
            headers = {"Cookie": cookie}
            alone = measure(url, headers, options.requests)
            with flood(url, token, options.rate) as told:
                time.sleep(6)  # what may be sent at once has been sent
                began = time.perf_counter()
                beside = measure(url, headers, options.requests)
                seconds = time.perf_counter() - began
            answers = told.get(timeout=60)
    finally:
        sender.delete()
    ratio = p95(beside) / p95(alone)
    rate = sum(answers.values()) / seconds
    print(f"requests of the flood, by status: {answers}, about {rate:.0f}/s")
    print(f"{'':<10}{'p50 ms':>10}{'p95 ms':>10}")
    for name, found in (("alone", alone), ("beside", beside)):
        print(f"{name:<10}{1000 * statistics.median(found):>10.1f}{p95(found):>10.1f}")
    print(f"p95 beside / alone: {ratio:.2f} (limit {MOST_SLOWER})")
    if ratio > MOST_SLOWER or not answers.get(429):
        raise SystemExit("Missed.")


def wait_for_server(url: str) -> None:
    address = urlsplit(url)
    for _ in range(300):
        client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
        try:
            client.request("GET", "/health")
            client.getresponse().read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The web server did not start.")


if __name__ == "__main__":
    main()
