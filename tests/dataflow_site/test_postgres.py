"""How the tests get their PostgreSQL, or say that there is none."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests import postgres


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(postgres, "binaries", lambda: None)


def test_the_server_that_the_environment_names_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@somewhere/else")
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://tester@here/tests")
    with postgres.server() as url:
        assert url == "postgres://tester@here/tests"


def test_a_sqlite_url_is_no_server(monkeypatch: pytest.MonkeyPatch, nowhere: None) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////tmp/some.sqlite3")
    with postgres.server() as url:
        assert url is None


def test_a_server_of_its_own_is_there_for_the_block_only(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if postgres.binaries() is None:
        pytest.skip("The server that the tests run on is not of this machine.")
    with postgres.server() as url:
        assert url is not None
        with contextlib.closing(psycopg2.connect(url)) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW fsync")
            assert cursor.fetchone() == ("off",)
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


def test_without_one_it_says_so_and_the_command_is_passed_over(
    nowhere: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATAFLOW_REQUIRE", raising=False)
    assert postgres.main([sys.executable, "-c", "raise SystemExit(7)"]) == 0
    assert capsys.readouterr().out == f"Skipped: {postgres.MISSING}\n"


def test_without_one_it_fails_where_it_is_required(
    nowhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAFLOW_REQUIRE", "chromium,postgres")
    with pytest.raises(SystemExit, match="PostgreSQL was not found"):
        postgres.main([sys.executable, "-c", ""])


def test_the_exit_code_of_the_command_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def somewhere() -> Iterator[str]:
        yield "postgres://tester@here/tests"

    monkeypatch.setattr(postgres, "server", somewhere)
    assert postgres.main([sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_a_folder_that_is_closed_to_others_is_not_one_to_run_a_server_from(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not postgres._open_to_all(closed)
