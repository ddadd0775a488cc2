"""Cells of CSV files are never formulas to a spreadsheet, and come back as they were."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestion.loading import replay
from records.models import DataRecord
from tests.factories import load
from web.spreadsheets import PLAIN_NUMBER, STARTS, guarded, guarded_column, unguarded

CELLS = st.text(st.sampled_from("=+-@\uff1d'\"\t\r\n;, 15ab"), max_size=12)
FORMULA = tuple(STARTS)


def opened(text: str, separator: str) -> list[list[str]]:
    """The cells that a spreadsheet finds which divides them at this separator."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False))


def written(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


@given(CELLS)
@example("'=1")
@example("''=1")
@example("\t=1")
@example(";\"'=1")
def test_a_guarded_cell_comes_back_as_it_was(cell):
    for opens_line in (False, True):
        assert unguarded(guarded(cell, opens_line=opens_line)) == cell


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4))
@example([("a", "1;=1+1", "b")])
@example([("-5", "1+cmd|' /C calc'!A0", "b")])
@example([("a", 'x;"=1+1"', "b")])
@example([("a", "x\n=1+1", "b")])
def test_no_cell_is_a_formula_whatever_separates_them(rows):
    text = written(
        [[guarded(first, opens_line=True), *map(guarded, others)] for first, *others in rows]
    )
    for separator in (",", ";", "\t"):
        for row in opened(text, separator):
            for place, cell in enumerate(row):
                is_number = separator == "," and place and PLAIN_NUMBER.fullmatch(cell)
                assert is_number or not cell.lstrip("\t\r\n").startswith(FORMULA), cell


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_a_column_is_guarded_as_its_cells_are(cells):
    assert list(guarded_column(cells)) == list(map(guarded, cells))


@pytest.mark.parametrize("cell", ["", "a;b", "12,-", "1;2", "O'Hara", "'tis", "a-b", "x; y", "-5"])
def test_what_is_no_formula_stays_as_it_is(cell):
    assert guarded(cell) == cell


NASTY = ["=1+1", "'=1+1", "''-x", "-5", "'-5", "1;=1+1", "a\n- b", "\t=1", "x\t'=1", '=";=2"', "'"]


@pytest.mark.django_db
def test_rejected_rows_are_no_formulas_in_a_spreadsheet_and_come_back_untouched(tmp_path: Path):
    """Also where formulas open a line, and stand in the names of columns."""
    path, names = tmp_path / "rows.csv", ["=first", "id", "a;=b"]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *([cell, "", cell] for cell in NASTY)])
    run = load(path, "rows", id=["id"])
    assert (run.read, run.rejected) == (len(NASTY), len(NASTY)), run.error
    given_out = "".join(replay.repaired_csv(run))
    for separator in (",", ";", "\t"):
        for row in opened(given_out, separator):
            assert [cell for cell in row if cell.startswith(FORMULA)] in ([], ["-5"]), row
    rows = opened(given_out, ",")
    for number, row in enumerate(rows[1:], start=1):
        row[1] = str(number)
    repaired = tmp_path / "repaired.csv"
    repaired.write_text(written(rows), newline="")
    done = load(repaired, "rows")
    assert (done.created, done.rejected, done.columns) == (len(NASTY), 0, names), done.error
    records = DataRecord.objects.order_by("line")
    assert [record.data["=first"] for record in records] == NASTY
    assert [record.data["a;=b"] for record in records] == NASTY


@pytest.mark.django_db
def test_rejected_rows_that_nobody_has_touched_are_the_same_rejected_rows(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text('"a","id","b"\n"=1+1","","\'=2"\n"=3",4\n"\'=5",6,"7",8\n')
    run = load(path, "rows", id=["id"])
    before = list(run.rejected_rows.order_by("line").values_list("line", "raw", "code"))
    repaired = tmp_path / "repaired.csv"
    repaired.write_text("".join(replay.repaired_csv(run)), newline="")
    done = load(repaired, "rows")
    after = done.rejected_rows.order_by("line").values_list("line", "code")
    assert list(after) == [(line, code) for line, _, code in before]
    assert "".join(replay.repaired_csv(run)) == repaired.read_bytes().decode()


@pytest.mark.parametrize("part", [";", ';"', ";'", "'", '"', "\t", ";\"'", "-", "1", ";1"])
def test_a_cell_of_a_million_characters_is_soon_guarded(part):
    cell = part * (1_000_000 // len(part)) + "x"
    for text in (cell, f";{cell}=", f"'{cell}"):
        assert unguarded(guarded(text)) == text
        assert list(guarded_column([text])) == [guarded(text)]
