"""Workbooks -> rows: each cell as the text that Excel shows."""

import zipfile
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest

from ingestion.errors import UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader


@pytest.fixture
def path(tmp_path):
    return tmp_path / "book.xlsx"


def write(path, **sheets):
    book = openpyxl.Workbook()
    for title in book.sheetnames:
        book.remove(book[title])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def read(path, **reading):
    """The reader, (line, cells) of its rows, (line, code, bytes) of the rejected, and notes."""
    found = detect(path, path.name, reading=reading)
    rows: list[tuple[int, list[Any]]] = []
    refused = []
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect
    ) as reader:
        for chunk in reader.chunks(2):
            rows += zip(chunk.lines, [list(row.values()) for row in chunk.rows], strict=True)
            refused += [(row.line, row.code, row.raw) for row in chunk.rejects]
    return reader, rows, refused, found.notes


def test_cells_are_the_text_that_excel_shows(path):
    book = write(path, S=[["a"]])
    cells = [
        (7, "7"), (7.0, "7"), (2.5, "2.5"), (-0.1, "-0.1"), (True, "TRUE"), (False, "FALSE"),
        ("00501", "00501"), (date(2024, 3, 4), "2024-03-04"),
        (datetime(2024, 3, 4, 5, 6, 7), "2024-03-04 05:06:07"),  # noqa: DTZ001
        (time(5, 6), "05:06:00"), ("#N/A", "#N/A"), (10**12, "1000000000000"),
        ("ü\n,\"'", "ü\n,\"'"),
    ]  # fmt: skip
    for value, _ in cells:
        book["S"].append([value])
    book["S"].append([501])
    book["S"].cell(row=len(cells) + 2, column=1).number_format = "00000"
    book.save(path)
    _, rows, refused, _ = read(path, header="1")
    assert [row for _, (row,) in rows] == [*(text for _, text in cells), "00501"]
    assert refused == []


def test_rows_know_their_number_and_short_ones_are_filled_up(path):
    write(path, S=[["a", "b"], [1, "x"], [], [2], [3, "y", "z"]])
    reader, rows, refused, _ = read(path)
    assert reader.columns == ["a", "b"]
    assert rows == [(2, ["1", "x"]), (4, ["2", ""])]
    assert refused == [(5, "too_many_cells", b"3,y,z\n")]
    assert reader.blank_rows == 1


def test_the_first_sheet_with_cells_is_read_unless_one_is_named(path):
    write(path, Empty=[], One=[["a"], ["x"]], Two=[["b"], ["y"], ["z"]])
    reader, rows, _, notes = read(path)
    assert (reader.columns, rows) == (["a"], [(2, ["x"])])
    assert any("3 sheets; 'One'" in note for note in notes)
    assert read(path, sheet="Two")[1] == [(2, ["y"]), (3, ["z"])]
    with pytest.raises(UnreadableInput, match=r"no sheet 'Three'.*'One', 'Two'"):
        read(path, sheet="Three")


def test_a_table_that_starts_lower_and_further_right_is_found(path):
    write(
        path,
        S=[["Report"], [], [None, "id", "name", "n"], [None, 1, "x", 5], [None, 2, "y", 6]],
    )
    reader, rows, _, notes = read(path)
    assert reader.columns[-3:] == ["id", "name", "n"]
    assert rows[0][0] == 4
    assert any("line 3" in note for note in notes)


@pytest.mark.parametrize("damage", ["sheet", "cut", "nothing inside"])
def test_a_damaged_workbook_is_refused(path, damage):
    write(path, S=[["a"], *([n] for n in range(1000))])
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:3000])
    else:
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        with zipfile.ZipFile(path, "w") as book:
            for name, content in parts.items():
                if damage == "sheet" and "sheet1" in name:
                    content = content[: len(content) // 2]
                book.writestr(name, b"" if damage == "nothing inside" else content)
    with pytest.raises(UnreadableInput, match="damaged"):
        read(path)


def test_a_workbook_with_entities_that_multiply_is_refused(path):
    write(path, S=[["a"], [1]])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            if name == "xl/workbook.xml":
                content = bomb + content.split(b"?>", 1)[-1]
            book.writestr(name, content)
    with pytest.raises(UnreadableInput, match="damaged"):
        read(path)
