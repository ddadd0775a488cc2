"""The services of the compose file on a real engine, as an operator and a program meet them."""

import json
import os
import subprocess
import tempfile
import time
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.installation import ROOT, wait_for
from tests.postgres import free_port

IMAGE = "dataflow-analytics"
COMPOSES = (["docker", "compose"], ["docker-compose"])
SERVICES = ("database", "api", "ingestion", "processing")


def said(*command: str, **given: Any) -> str:
    """The output of a command that succeeds."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, **given)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def succeeds(*command: str) -> bool:
    try:
        return not subprocess.run(command, check=False, capture_output=True).returncode
    except FileNotFoundError:
        return False


def build_image() -> None:
    """Build the image of what is committed, with the network of the host."""
    # Tracked files only: a checkout holds an environment and data of its own.
    with tempfile.TemporaryDirectory() as folder:
        said("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), folder)
        said("docker", "build", "--network", "host", "--tag", IMAGE, folder)


class Stack:
    """A project of its own, with secrets and a port of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self.project = f"dataflow-test-{os.getpid()}"
        self.compose = next(each for each in COMPOSES if succeeds(*each, "version"))
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "PORT": str(self.port),
            "SECRET_KEY": "s" * 64,
            "DATAFLOW_RECEIPT_KEY": "d" * 64,
            "POSTGRES_PASSWORD": "p" * 32,
            "ADMIN_PASSWORD": "a" * 24,
        }
        self.token = ""

    def do(self, *arguments: str) -> str:
        """What compose says."""
        return said(*self.compose, *arguments, cwd=ROOT, env=self.environment)

    def up(self) -> None:
        self.do("up", "--detach", "--no-build")
        wait_for(self.is_healthy, seconds=240, what=f"health of all services: {self.health()}")

    def down(self) -> None:
        self.do("down", "--volumes", "--timeout", "30")

    def container(self, service: str) -> str:
        return self.do("ps", "--quiet", service)

    def state(self, service: str) -> Any:
        return json.loads(said("docker", "inspect", self.container(service)))[0]["State"]

    def health(self) -> dict[str, str]:
        return {each: self.state(each)["Health"]["Status"] for each in SERVICES}

    def is_healthy(self) -> bool:
        return set(self.health().values()) == {"healthy"}

    def crash(self, service: str) -> None:
        """End a container from outside, so that its engine has not been told to."""
        pid = str(self.state(service)["Pid"])
        said(*([] if os.geteuid() == 0 else ["sudo"]), "kill", "-9", pid)
        wait_for(
            lambda: self.state(service)["Running"] and str(self.state(service)["Pid"]) != pid,
            seconds=60,
            what=f"the restart of {service}",
        )

    def stop(self, service: str) -> float:
        """Stop a container as an operator does; the seconds that it took."""
        began = time.monotonic()
        self.do("stop", "--timeout", "60", service)
        return time.monotonic() - began

    def manage(self, *arguments: str) -> str:
        return self.do("exec", "-T", "api", "python", "manage.py", *arguments)

    def sql(self, query: str) -> str:
        """As the README documents it."""
        command = (
            "psql",
            "--username=dataflow",
            "--dbname=dataflow",
            "--tuples-only",
            "--no-align",
        )
        return self.do("exec", "-T", "database", *command, "--command", query)

    def log_in(self) -> None:
        """Create a token of the first administrator."""
        self.token = self.manage(
            "create_token", "admin", "--name", "test", "--scope", "write"
        ).split()[-1]

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """The API's answer in JSON; the web server may be away for a while."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "text/csv"}
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def send(self, file: bytes, *, source: str) -> str:
        """Upload a file; the path of its run."""
        run = self.ask(f"/api/v1/ingest?source={source}&id=id&value=amount", file)
        return urlsplit(run["url"]).path

    def end_of(self, run: str, *, seconds: float) -> Any:
        """The run when it has ended."""

        def ended() -> Any:
            try:
                found = self.ask(run)
            except (URLError, OSError):
                return None
            return found if found["state"] not in ("queued", "running") else None

        return wait_for(ended, seconds=seconds, what=f"the end of {run}")


def numbered(rows: int) -> bytes:
    """A file with a row of each number, every hundredth of which has too many cells."""
    lines = (f"{each},2026-03-01,{each}.5{',x' if each % 100 == 0 else ''}" for each in range(rows))
    return "\n".join(["id,day,amount", *lines, ""]).encode()
