"""`manage.py start`: one command, and everything runs."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.installation import Installation, family, gone, installation, kill, wait_for
from tests.site import START, Site

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def own_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for which nothing has been prepared."""
    with installation(tmp_path_factory.mktemp("installation"), postgres.given_url()) as made:
        yield made


@pytest.fixture(scope="module")
def first(own_installation: Installation) -> Site:
    """The first start of an installation; the tests of this module go on from there in order."""
    return Site(own_installation)


def test_the_first_start_says_where_it_is_and_how_to_log_in(first: Site) -> None:
    assert f"http://127.0.0.1:{first.port}/" in first.output
    assert first.said("Login") == "admin"
    assert first.said("API").startswith("curl -H 'Authorization: Token ")
    wait_for(lambda: first.get("/health")[0] == 200, seconds=90, what="its health")


def test_the_password_it_prints_logs_in(first: Site, own_installation: Installation) -> None:
    check = (
        "from django.contrib.auth import authenticate;"
        f"print(authenticate(username='admin', password={first.said('Password')!r}).is_superuser)"
    )
    assert own_installation.manage("shell", "-v0", "-c", check) == "True\n"


def test_the_login_is_kept_for_its_owner_only(own_installation: Installation) -> None:
    assert (own_installation.folder / "login.json").stat().st_mode & 0o777 == 0o600


def test_the_sample_data_are_loaded_and_processed_while_one_watches(first: Site) -> None:
    def all_done() -> bool:
        stats = first.stats()
        done = stats["processed_records"] + stats["failed_records"]
        return stats["total_records"] > 0 and done == stats["total_records"]

    wait_for(all_done, seconds=90, what="the sample data")
    runs = first.installation.rows("SELECT state FROM ingestion_runs")
    assert runs == [("finished",)] * 3


def test_a_taken_port_is_one_clear_line(first: Site, own_installation: Installation) -> None:
    before = len(own_installation.log)
    process = own_installation.start(*START, "--port", str(first.port))
    assert process.wait(90) == 1
    lines = own_installation.log[before:].splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"Port {first.port} on 127.0.0.1 can't be used (Address already")


def test_kill_9_of_the_web_server_brings_it_back(first: Site) -> None:
    (web,) = [each for each in family(first.process.pid) if "gunicorn" in " ".join(each.cmdline())][
        :1
    ]
    kill(web)
    wait_for(lambda: answers(first.port), seconds=90, what="the web server")


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def test_ctrl_c_stops_everything(first: Site) -> None:
    everyone = family(first.process.pid)
    assert len(everyone) > 8
    assert first.interrupt() == 0
    assert gone(everyone)
    assert "Traceback" not in first.output


def test_the_second_start_keeps_data_and_login(first: Site, own_installation: Installation) -> None:
    second = Site(own_installation)
    for done_once in ("Built the charts' JavaScript", "Collected the static files"):
        assert done_once in first.output
        assert done_once not in second.output
    assert second.said("Password") == first.said("Password")
    assert second.stats() == Site.stats(second)
    assert own_installation.rows("SELECT count(*) FROM ingestion_runs") == [(3,)]
    assert second.interrupt() == 0


def test_what_its_owner_changed_is_not_printed(first: Site, own_installation: Installation) -> None:
    change = (
        "from django.contrib.auth.models import User;"
        "user = User.objects.get(); user.set_password('my own'); user.save()"
    )
    own_installation.manage("shell", "-v0", "-c", change)
    third = Site(own_installation)
    assert third.said("Password") == "(the one you set)"
    assert third.said("API") != first.said("API")
    assert third.stats()["total_records"] > 0
    everyone = family(third.process.pid)
    third.process.kill()
    wait_for(lambda: gone(everyone), seconds=60, what="the end of all after kill -9")


@pytest.mark.any_database
@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_one_clear_line(port: str, own_installation: Installation) -> None:
    before = len(own_installation.log)
    process = own_installation.start(*START, f"--port={port}")
    assert process.wait(90) == 1
    expected = f"PORT must be a number from 1 to 65535, not {port!r}."
    assert own_installation.log[before:].splitlines() == [expected]


@pytest.mark.any_database
def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    installation = Installation(tmp_path)
    process = installation.start(*START, DATAFLOW_VAR=str(tmp_path / "file" / "var"))
    assert process.wait(90) == 1
    lines = installation.log.splitlines()
    assert len(lines) == 1
    assert "can't be used (Not a directory)" in lines[0]
