"""Threads that share the connection to SQLite in memory do not wait for each other for ever."""

import subprocess
import sys

from tests.installation import ROOT

THREADS = """
import threading
import django
django.setup()
from django.db import connections
from tests.shared_connection import one_at_a_time

with one_at_a_time():
    shared = connections["default"]
    shared.settings_dict["NAME"] = "file:shared?mode=memory&cache=shared"
    shared.inc_thread_sharing()
    with shared.cursor() as cursor:
        cursor.execute("CREATE TABLE texts (text text)")
        rows = [(f"x{number}",) for number in range(3000)]
        cursor.executemany("INSERT INTO texts VALUES (%s)", rows)

    def ask():
        connections["default"] = shared
        for _ in range(30):
            with shared.cursor() as cursor:
                cursor.execute("SELECT text FROM texts WHERE text REGEXP '^x.*9$'")
                assert len(cursor.fetchall()) == 300
                cursor.execute("SELECT text FROM texts LIMIT 3")
                assert len(cursor.fetchmany(2)) == 2

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("all have ended")
"""


def test_queries_with_functions_of_python_end() -> None:
    # A process of its own: it would stand still as a whole, this test with it.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", THREADS],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "all have ended\n"
