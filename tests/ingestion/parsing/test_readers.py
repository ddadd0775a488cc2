"""Bytes -> rows: each row is handed out with its line and its bytes, or refused alone."""

import contextlib
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.limits import MAX_CELL_CHARACTERS
from ingestion.parsing.readers import open_reader


def read(path: Path, *, encoding="utf-8", dialect=None, size=3):
    """The reader, its rows, and (line, code, bytes) of each refused row."""
    rows: list[tuple[int, list[Any]]] = []
    refused = []
    with open_reader(
        path, name=path.name, encoding=encoding, dialect=dialect or Dialect()
    ) as reader:
        for chunk in reader.chunks(size):
            rows += zip(chunk.lines, [list(row.values()) for row in chunk.rows], strict=True)
            refused += [(row.line, row.code, row.raw) for row in chunk.rejects]
    return reader, rows, sorted(refused)


@pytest.fixture
def file(tmp_path):
    def write(content: bytes) -> Path:
        path = tmp_path / "input.csv"
        path.write_bytes(content)
        return path

    return write


def test_a_row_knows_the_line_it_begins_in(file):
    _, rows, refused = read(file(b'a,b\n1,"x\ny"\n2,z\r\n\n3,w\r4,v\n'))
    assert rows == [(2, ["1", "x\ny"]), (4, ["2", "z"]), (6, ["3", "w"]), (7, ["4", "v"])]
    assert refused == []


def test_blank_lines_are_passed_over_and_counted(file):
    reader, rows, _ = read(file(b"\n\na,b\n\n1,2\n\n"))
    assert reader.columns == ["a", "b"]
    assert rows == [(5, ["1", "2"])]
    assert reader.blank_rows == 2


def test_rows_of_empty_cells_are_blank_ones(file):
    reader, rows, refused = read(file(b"a,b\n,\n1,2\n,,\n,3\n"))
    assert rows == [(3, ["1", "2"]), (5, ["", "3"])]
    assert (refused, reader.blank_rows) == ([], 2)


def test_lines_above_the_header_are_skipped(file):
    reader, rows, _ = read(file(b'a "report"\n\nx,y\n1,2\n'), dialect=Dialect(skip=2))
    assert (reader.columns, rows) == (["x", "y"], [(4, ["1", "2"])])


def test_without_a_header_the_first_row_is_data_and_columns_are_numbered(file):
    reader, rows, refused = read(file(b"\n1,2\n3\n4,5\n"), dialect=Dialect(header=0))
    assert reader.columns == ["column_1", "column_2"]
    assert rows == [(2, ["1", "2"]), (4, ["4", "5"])]
    assert refused == [(3, "too_few_cells", b"3\n")]


def test_header_rows_are_joined_and_a_merged_cell_goes_on_to_the_right(file):
    reader, rows, _ = read(
        file(b"id,2019,,note\n,count,sum,\n1,2,3,x\n"), dialect=Dialect(header=2)
    )
    assert reader.columns == ["id", "2019 / count", "2019 / sum", "note"]
    assert rows == [(3, ["1", "2", "3", "x"])]


def test_text_beside_a_table_that_starts_further_right_is_refused(file):
    reader, rows, refused = read(file(b",,a,b\n,,1,2\nx,,3,4\n"), dialect=Dialect(left=2))
    assert (reader.columns, rows) == (["a", "b"], [(2, ["1", "2"])])
    assert refused == [(3, "cell_outside_table", b"x,,3,4\n")]


def test_trailing_delimiters_are_no_cells(file):
    _, rows, refused = read(file(b"a,b\n1,2,\n3,4,x\n5,6\n"), dialect=Dialect(surplus=1))
    assert rows == [(2, ["1", "2"])]
    assert [(line, code) for line, code, _ in refused] == [
        (3, "cell_outside_table"),
        (4, "too_few_cells"),
    ]


def test_a_trailing_delimiter_of_the_header_alone_is_no_column(file):
    reader, rows, _ = read(file(b"a,b,\n1,2\n"), dialect=Dialect(surplus=-1))
    assert (reader.columns, rows) == (["a", "b"], [(2, ["1", "2"])])


def test_rows_of_another_length_are_refused_with_their_bytes(file):
    _, rows, refused = read(file(b'a,b\n1\n1,2\n"1",2,3\r\n'))
    assert rows == [(3, ["1", "2"])]
    assert refused == [
        (2, "too_few_cells", b"1\n"),
        (4, "too_many_cells", b'"1",2,3\r\n'),
    ]


def test_an_unclosed_quote_costs_only_its_own_line(file):
    _, rows, refused = read(file(b'a,b\n1,"x\n2,y\n3,z\n'))
    assert rows == [(3, ["2", "y"]), (4, ["3", "z"])]
    assert refused == [(2, "unclosed_quote", b'1,"x\n')]


def test_an_unclosed_quote_that_meets_a_later_quote_costs_only_its_own_line(file):
    _, rows, refused = read(file(b'a,b\n1,"x\n2,"y"\n3,"z"\n'))
    assert rows == [(3, ["2", "y"]), (4, ["3", "z"])]
    assert [(line, code) for line, code, _ in refused] == [(2, "misplaced_quote")]


def test_a_cell_over_the_limit_costs_only_its_own_line(file):
    _, rows, refused = read(file(b"a,b\n1," + b"x" * (MAX_CELL_CHARACTERS + 1) + b"\n2,y\n"))
    assert rows == [(3, ["2", "y"])]
    assert [(line, code) for line, code, _ in refused] == [(2, "cell_too_long")]


def test_a_byte_that_does_not_fit_comes_back_as_it_was(file):
    path = file("a,b\nü,1\n".encode() + b"\xff,2\n")
    with open_reader(path, name="f", encoding="utf-8", dialect=Dialect()) as reader:
        (chunk,) = reader.chunks(10)
        assert [chunk.raw(0), chunk.raw(1)] == ["ü,1\n".encode(), b"\xff,2\n"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "cp1252"])
def test_a_refused_row_gives_back_its_bytes_in_any_encoding(file, encoding):
    path = file("\ufeffä,b\n1,ü\nö\n".encode(encoding, "ignore") + b"\x00")
    reader, rows, refused = read(path, encoding=encoding)
    assert reader.columns == ["ä", "b"]
    assert rows[0] == (2, ["1", "ü"])
    assert refused[0] == (3, "too_few_cells", "ö\n".encode(encoding))
    assert [raw for _, _, raw in refused[1:]] == [b"\x00"]


def test_repeated_and_missing_names_are_made_unique_and_told(file):
    reader, _, _ = read(file(b"a,,a,a_2, ,a\n1,2,3,4,5,6\n"))
    assert reader.columns == ["a", "column_2", "a_3", "a_2", "column_5", "a_4"]
    assert any("column_N: 2, 5" in note for note in reader.notes)
    assert any("repeats 'a'" in note for note in reader.notes)


def test_a_header_that_is_no_text_is_refused_with_its_place(file):
    with pytest.raises(UnreadableInput, match="column 2"):
        read(file(b"a,b\0\n1,2\n"))


def test_a_header_that_breaks_the_rules_of_quoting_does_not_cost_the_file(file):
    reader, rows, refused = read(file(b'"a,b\n1,2\n'))
    assert (reader.columns, rows, refused) == (['"a', "b"], [(2, ["1", "2"])], [])
    assert any("line 1 breaks the rules" in note for note in reader.notes)


def test_blank_lines_alone_have_no_columns_and_no_rows(file):
    reader, rows, refused = read(file(b"\n\n"))
    assert (reader.columns, rows, refused) == ([], [], [])


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    table=st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=12)
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_writes_is_read_back_cell_by_cell(
    tmp_path_factory, table, end, delimiter
):
    width = len(table[0]) if table else 2
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow([f"c{n}" for n in range(width)])
    writer.writerows(table)
    path = tmp_path_factory.mktemp("written") / "f.csv"
    path.write_bytes(text.getvalue().encode())
    _, rows, refused = read(path, dialect=Dialect(delimiter=delimiter))
    # A row of nothing but empty cells is a blank one.
    assert [row for _, row in rows] == [row for row in table if any(row)]
    assert refused == []


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_refused_rows_or_an_unreadable_input(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "f.csv"
    path.write_bytes(b"a,b\n" + content)
    with contextlib.suppress(UnreadableInput):
        found = detect(path, "f.csv")
        _, rows, refused = read(path, encoding=found.encoding, dialect=found.dialect)
        assert all(raw for _, _, raw in refused)
        assert [line for line, _ in rows] == sorted(line for line, _ in rows)
