"""`manage.py sql`."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop() -> None:
    land("shop", {"1": sale(1), "2": sale(2)})
    process_all()


def test_a_result_is_printed_as_a_table_or_as_objects(capsys):
    statement = "SELECT id, result_value AS v FROM shop ORDER BY 1"
    call_command("sql", statement)
    assert capsys.readouterr().out.splitlines() == ["id  v", "1   1.5", "2   2.5"]
    call_command("sql", statement, "--format", "json")
    printed = capsys.readouterr().out.splitlines()
    assert list(map(json.loads, printed)) == [{"id": "1", "v": 1.5}, {"id": "2", "v": 2.5}]


def test_columns_of_the_same_name_are_both_printed(capsys):
    call_command("sql", "SELECT 1 AS a, 2 AS a", "--format", "json")
    assert json.loads(capsys.readouterr().out) == {"a": 1, "a~2": 2}


def test_a_result_is_written_as_a_file(tmp_path: Path):
    path = tmp_path / "result"
    call_command("sql", "SELECT id FROM shop ORDER BY 1", "--format", "csv", "--output", str(path))
    assert path.read_bytes() == b"id\r\n1\r\n2\r\n"
    call_command("sql", "SELECT id FROM shop", "--format", "parquet", "--output", str(path))
    assert path.read_bytes()[:4] == b"PAR1"


def test_what_is_wrong_is_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="Only SELECT statements can be run here"):
        call_command("sql", "DROP VIEW shop")
    with pytest.raises(CommandError, match="--output applies to CSV and Parquet only"):
        call_command("sql", "SELECT 1", "--output", str(tmp_path / "x"))
    with pytest.raises(CommandError, match="can't be written"):
        call_command("sql", "SELECT 1", "--format", "csv", "--output", str(tmp_path / "no" / "x"))


def test_terminals_get_no_control_characters(capsys):
    call_command("sql", "SELECT e'\\x1b[31mred' AS a")
    assert "\x1b" not in capsys.readouterr().out
