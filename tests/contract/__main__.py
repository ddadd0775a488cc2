"""Checks a server against the description of its API: ``python -m tests.contract [OPTIONS]``.

It starts an installation of its own, on SQLite or on a database of its own on the server of
DATABASE_URL, and runs schemathesis on it with all of its checks. What is not an option of its own
is one of ``schemathesis run``, such as ``--include-operation-id views_save``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

from tests.installation import installation
from tests.site import Site

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
ROWS = (
    '{"id": "17", "day": "2026-03-01", "amount": "12.50", "city": "Paris"}\n'
    '{"id": "18", "day": "2026-03-02", "amount": "x", "city": "Wien"}\n'
    '{"id": "", "amount": "1"}\n'
)
VIEW = '{"name": "Failed sales", "query": "source=sales&status=failed"}'


def send(site: Site, path: str, body: str, kind: str) -> None:
    """Send what the examples of the description speak of."""
    headers = {"Authorization": site.token, "Content-Type": kind}
    urlopen(Request(f"{site.url}/api/v1/{path}", body.encode(), headers)).close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.contract", description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="for each operation")
    parser.add_argument("--schemathesis", default="schemathesis", help="its command")
    given, options = parser.parse_known_args()
    command = shutil.which(given.schemathesis)
    if command is None:
        parser.error(f"{given.schemathesis!r} was not found. Install schemathesis 4.")
    server = os.environ.get("DATABASE_URL")
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder), server) as made:
        # Requests name addresses of their own: see the hooks.
        made.environment["DATAFLOW_TRUSTED_PROXIES"] = "1"
        site = Site(made)
        mapping = "source=sales&id=id&timestamp=day&value=amount&category=city"
        send(site, f"records?{mapping}", ROWS, "application/x-ndjson")
        send(site, "views", VIEW, "application/json")
        done = subprocess.run(
            [
                *(command, "--config-file", str(CONFIGURATION), "run"),
                *(f"{site.url}/api/v1/schema/", "--header", f"Authorization: {site.token}"),
                *("--checks", "all", "--max-examples", str(given.examples)),
                *("--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"),
                *("--continue-on-failure", "--no-shrink", "--request-timeout", "60"),
                *options,
            ],
            cwd=CONFIGURATION.parent,
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
