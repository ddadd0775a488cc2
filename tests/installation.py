"""A whole installation of its own: a folder, a database, and the processes that run on them."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2

ROOT = Path(__file__).parent.parent
# Tests ask faster than people and programs do; those of these limits set their own.
UNLIMITED = {f"DATAFLOW_REQUESTS_PER_{each}": "0" for each in ("ADDRESS", "USER", "TOKEN")}
# What the tests' own settings put into the environment is not for the processes under test.
FOREIGN = ("DATAFLOW_VAR", "DATAFLOW_RAW", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE")


class Installation:
    """Runs `manage.py` on a folder of its own, as someone would from a shell."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.database_url = database_url
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in FOREIGN},
            "DATAFLOW_VAR": str(folder),
            **UNLIMITED,
        }
        self.environment.pop("DATABASE_URL", None)
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        self.processes: list[subprocess.Popen[str]] = []

    def manage(self, *arguments: str, **environment: str) -> str:
        """The output of a command that succeeds."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """A command in the background; its output goes to the file `log` of the folder."""
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return process

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database holds, asked from outside."""
        if self.database_url:
            with closing(psycopg2.connect(self.database_url)) as connection:
                cursor = connection.cursor()
                cursor.execute(sql)
                return cursor.fetchall()
        with closing(sqlite3.connect(self.folder / "dataflow.sqlite3", timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def end(self) -> None:
        """End everything that was started and is still there."""
        for process in self.processes:
            for each in [*family(process.pid), *find(process)]:
                kill(each)
            process.wait()


def find(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return [psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        return []


def family(pid: int) -> list[psutil.Process]:
    """All descendants of a process."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more; one that nobody has waited for yet does not."""
    return not any(
        each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes
    )


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first true value of the condition; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return value


def comes_true(condition: Callable[[], Any], *, seconds: float) -> bool:
    """Whether the condition is true before that time is over."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(value)


def open_files_in(folder: Path) -> list[Path]:
    """The files in a folder that this process has open; such as have no name there, too."""
    return [
        link
        for link in Path("/proc/self/fd").iterdir()
        if os.path.realpath(link).startswith(f"{folder}/")
    ]


# The file in an installation's folder that names its database, unless that is SQLite's own file.
DATABASE = "database_url"


def new_installation(folder: Path, server: str | None) -> Installation:
    """An installation on SQLite, or on a database of its own on that PostgreSQL server."""
    folder.mkdir(exist_ok=True)
    if server is not None:
        (folder / DATABASE).write_text(_new_database(server))
    return installed(folder)


def installed(folder: Path) -> Installation:
    """The installation that is in a folder."""
    named = folder / DATABASE
    return Installation(folder, named.read_text() if named.exists() else None)


@contextmanager
def installation(folder: Path, server: str | None) -> Iterator[Installation]:
    """A new installation that is there for the block only."""
    made = new_installation(folder, server)
    try:
        yield made
    finally:
        made.end()
        remove_database(made)


@contextmanager
def copied(original: Installation, folder: Path) -> Iterator[Installation]:
    """Another installation with the same data; nobody may be at work on the original."""
    shutil.copytree(original.folder, folder)
    if original.database_url is not None:
        template = urlsplit(original.database_url).path[1:]
        url = _new_database(original.database_url, f"TEMPLATE {template}")
        (folder / DATABASE).write_text(url)
    made = installed(folder)
    made.environment = original.environment | made.environment
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(folder)
        remove_database(made)


def remove_database(made: Installation) -> None:
    """Drop the database of an installation, unless it is a file in its folder."""
    if made.database_url is not None:
        name = urlsplit(made.database_url).path[1:]
        _execute(made.database_url, f"DROP DATABASE {name} WITH (FORCE)")


def _new_database(server: str, options: str = "") -> str:
    """The URL of a new database on the server that the URL leads to."""
    name = f"dataflow_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} {options}")
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def _execute(server: str, statement: str) -> None:
    """Execute a statement from the server's own database: a session keeps others from copying."""
    url = urlsplit(server)._replace(path="/postgres").geturl()
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)
