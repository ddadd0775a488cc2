"""What tests of all parts share: a real browser and a real PostgreSQL."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client, SimpleTestCase
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Error, sync_playwright
from pytest_django.live_server_helper import LiveServer

from dataflow_site.static_files import build_charts_if_missing
from tests import audit_table, postgres, shared_connection
from tests.installation import (
    Installation,
    copied,
    installed,
    new_installation,
    remove_database,
)
from tests.markup import as_shown
from tests.site import Site

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

PREPARE = """
from django.core.management import call_command
from dataflow_site.static_files import build_charts_if_missing, collect_if_changed
call_command("migrate", verbosity=0)
build_charts_if_missing()
collect_if_changed()
"""

# How long an example takes says something about the machine and what else it does, not about the
# code; and examples are told apart by the tests themselves, which share their fixtures.
settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")


# Tests of these marks take longest, and wait most.
SLOW_MARKS = ("cluster", "browser")
# Tests of these marks turn out the same on any database.
ONCE_MARKS = ("browser", "any_database")
# By these marks, fixtures, and names in its module a test may meet the database.
DATABASE_MARKS = ("django_db", "cluster")
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "prepared_installation"}
DATABASE_MODULES = {"subprocess", Installation.__module__, Site.__module__, postgres.__name__}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-database",
        action="store_true",
        help="leave out the tests that have been run on another database and can't meet this one",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(0))
    # Files that wait for real processes and browsers begin first, while others compute.
    turns: dict[Path, int] = {}
    for item in items:
        turns[item.path] = min(_turn(item), turns.get(item.path, len(SLOW_MARKS)))
    items.sort(key=lambda item: turns[item.path])
    if config.getoption("only_database"):
        config.hook.pytest_deselected(items=[item for item in items if not may_meet_database(item)])
        items[:] = [item for item in items if may_meet_database(item)]


def _turn(item: pytest.Item) -> int:
    slow = (number for number, mark in enumerate(SLOW_MARKS) if item.get_closest_marker(mark))
    return next(slow, len(SLOW_MARKS))


def may_meet_database(item: pytest.Item) -> bool:
    """Whether a test could turn out differently on another database.

    Where it could not, pytest-django lets it reach no table, and it starts no process that might.
    What a browser does with a page does not depend on the database that the page was read from.
    """
    if any(map(item.get_closest_marker, ONCE_MARKS)):
        return False
    fixtures = getattr(item, "fixturenames", ())
    if item.get_closest_marker("django_db") or not DATABASE_FIXTURES.isdisjoint(fixtures):
        return True
    if issubclass(getattr(item, "cls", None) or object, SimpleTestCase):
        return True  # these are let in by their class
    if "postgres_url" in fixtures:
        # It asks for a PostgreSQL whatever the other tests run on.
        return False
    if any(map(item.get_closest_marker, DATABASE_MARKS)):
        return True
    names = vars(getattr(item, "module", None) or object).values()
    return any(each is connection or _home(each) in DATABASE_MODULES for each in names)


def _home(value: object) -> object:
    """The module that something comes from; a module comes from itself."""
    return getattr(value, "__name__" if isinstance(value, ModuleType) else "__module__", None)


def skip_without(what: str, why: str) -> None:
    """Skip the test, unless DATAFLOW_REQUIRE says that this must not be missing."""
    if postgres.required(what):
        pytest.fail(f"{why} DATAFLOW_REQUIRE asks for it.")
    pytest.skip(why)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The database of the tests, whose tables can be emptied between them."""
    with django_db_blocker.unblock():
        audit_table.let_be_emptied()


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Tests share a process, and so what pages keep of figures; their tables they do not share."""
    caches["process"].clear()


@pytest.fixture(autouse=True)
def _pages_as_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read pages as a browser shows them, wherever templates break their lines."""
    request = Client.request

    def shown(self: Client, **environ: Any) -> Any:
        response = request(self, **environ)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not response.streaming:
            response.content = as_shown(response.content.decode()).encode()
        return response

    monkeypatch.setattr(Client, "request", shown)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, on which there is room for 4 MB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    if not is_mounted:
        pytest.skip("A file system of its own can be mounted by root only.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium: the one that CHROMIUM names, else the system's."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        skip_without("chromium", "Chromium was not found: set CHROMIUM to its path.")
    build_charts_if_missing()
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path,
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--no-first-run",
                ],
            )
        except Error as error:
            skip_without("chromium", f"Chromium does not start: {error}.")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server, also while the other tests run on SQLite."""
    with postgres.server() as url:
        if url is None:
            skip_without("postgres", postgres.MISSING)
        else:
            yield url


@pytest.fixture(scope="module")
def live_server() -> Iterator[LiveServer]:
    """The site, served to the tests of one module.

    The threads of the server share the connection to SQLite, which is not limited in time while
    they do (see `web.statement_timeout`); in the modules that follow it has to be.
    """
    with shared_connection.one_at_a_time():
        server = LiveServer("localhost")
        yield server
        server.stop()


@pytest.fixture(scope="session")
def prepared_installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What is the same in every new installation, to be copied: tables and static files.

    The processes that share the tests share it: the first one that needs it makes it.
    """
    folder = shared_folder(tmp_path_factory) / "prepared"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            made = new_installation(folder.with_suffix(".new"), postgres.given_url())
            made.manage("shell", "-v0", "-c", PREPARE)
            made.folder.rename(folder)
    return installed(folder)


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that is the same for all processes that share the tests."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that other processes wait for."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop the database of the installation that all processes have shared."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    prepared = factory.getbasetemp() / "prepared"
    if prepared.exists():
        remove_database(installed(prepared))


@pytest.fixture(scope="module")
def own_installation(
    prepared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation of the module's own, on the kind of database that the tests run on."""
    folder = tmp_path_factory.mktemp("installation") / "var"
    with copied(prepared_installation, folder) as made:
        yield made
