"""How a text is laid out: told from the rows, and read with cells as they were written."""

import pytest

from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader
from ingestion.parsing.readers.single import read_row


@pytest.fixture
def see(tmp_path):
    """The columns and rows of a text, each row read once more by itself; and the notes."""

    def read(text):
        path = tmp_path / "input.csv"
        path.write_bytes(text.encode())
        found = detect(path, path.name)
        rows = []
        with open_reader(
            path, name=path.name, encoding=found.encoding, dialect=found.dialect
        ) as reader:
            for chunk in reader.chunks(2):
                for place, row in enumerate(chunk.rows):
                    raw = chunk.raw(place).decode()
                    assert read_row(raw, dialect=found.dialect, columns=reader.columns) == row
                    rows.append(list(row.values()))
        return reader.columns, rows, [*found.notes, *reader.notes]

    return read


@pytest.mark.parametrize(
    ("text", "columns", "first"),
    [
        # Row names without a name, as R writes them.
        ('"a","b"\n"1",5,"x"\n"2",6,"y"\n', ["column_1", "a", "b"], ["1", "5", "x"]),
        ("mpg;cyl\nFiat;21;4\nFord;22;6\n", ["column_1", "mpg", "cyl"], ["Fiat", "21", "4"]),
        # A header with empty cells between its names.
        ("a,,b,,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], ["1", "2", "3"]),
        # A header that is cut otherwise than its rows.
        ("id;name;n\n1,Ann,5\n2,Bob,6\n", ["id", "name", "n"], ["1", "Ann", "5"]),
        # Titles that are padded to the width of the table.
        ("Trips in May,,\nWho,Where,Why\nAnn,Rome,Talk\nBob,Oslo,Fair\n",
         ["Who", "Where", "Why"], ["Ann", "Rome", "Talk"]),
        # One row with a delimiter at its end.
        ("a;b\n1;2;\n", ["a", "b"], ["1", "2"]),
        # Spaces behind delimiters, and around names.
        ('name; note; n\nAnn; "x; y"; 1\nBob; "z"; 2\n', ["name", "note", "n"],
         ["Ann", "x; y", "1"]),
        ("id , name ,n\n1,Ann,5\n2,Bob,6\n", ["id", "name", "n"], ["1", "Ann", "5"]),
        # Columns separated by spaces.
        ("date kind n\n2025-01-02 tea 5\n2025-01-03 ink 6\n", ["date", "kind", "n"],
         ["2025-01-02", "tea", "5"]),
        ("city        people   n\nNew York    8336817  5\nRome        2873000  6\n"
         "Paris, TX     24171  7\n",
         ["city", "people", "n"], ["New York", "8336817", "5"]),
        ("city        people\nNew York     8336817\nRome         2873000\nParis           2000\n",
         ["city", "people"], ["New York", "8336817"]),
        # Each line in quotes.
        ('"id;name;note"\n"1;Ann;""a; b"""\n"2;Bob;""c"""\n', ["id", "name", "note"],
         ["1", "Ann", "a; b"]),
        # Other quotes and escapes, where nothing else fits.
        ("a;b\n1;'x; y'\n2;'it''s'\n", ["a", "b"], ["1", "x; y"]),
        ('a,b\n1,"say \\"hi\\", x"\n2,"C:\\temp, \\\\srv"\n', ["a", "b"], ["1", 'say "hi", x']),
        # Quotes of another kind that are text.
        ("`name`\nA\nB\n", ["`name`"], ["A"]),
        ("a,b\n'x','y'\n'z','w'\n", ["a", "b"], ["'x'", "'y'"]),
        ("a,b\nC:\\temp\\new,\\/x\nD:\\y,\\n\n", ["a", "b"], ["C:\\temp\\new", "\\/x"]),
    ],
)  # fmt: skip
def test_a_text_is_read_as_it_is_laid_out(see, text, columns, first):
    found, rows, _ = see(text)
    assert (found, rows[0]) == (columns, first)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ('"id,name,n', ['"id', "name", "n"]),
        ('id,"name,n', ["id", '"name', "n"]),
        ('id,"na"me,n', ["id", '"na"me', "n"]),
        ('id,"name","n', ["id", "name", '"n']),
    ],
)
def test_a_header_that_breaks_the_rules_of_quoting_costs_no_row(see, header, columns):
    found, rows, notes = see(f'{header}\n1,"Ann, Lee",5\n2,"Bob",6\n3,Cy,7\n')
    assert found == columns
    assert rows[0] == ["1", "Ann, Lee", "5"]
    assert len(rows) == 3
    assert any("breaks the rules of quoting" in note for note in notes)


def test_a_backslash_that_escapes_nothing_stays(see):
    _, rows, _ = see('a,b\n1,"say \\"hi\\", x"\n2,"C:\\temp, \\\\srv"\n')
    assert rows[1] == ["2", "C:\\temp, \\\\srv"]


def test_a_long_quoted_first_cell_is_one_cell(see):
    text = "It's long, isn't it.\n" * 3000
    columns, rows, _ = see(f'note,state\n"{text}",open\n"short",shut\n')
    assert (columns, len(rows)) == (["note", "state"], 2)
    assert rows[0] == [text, "open"]


def test_marks_in_the_middle_of_joined_texts_are_no_part_of_cells(see):
    _, rows, notes = see('\ufeffid,n\n1,5\n\ufeff"2",6\n')
    assert rows == [["1", "5"], ["2", "6"]]
    assert any("byte order mark" in note for note in notes)


def test_a_quote_that_first_appears_far_down_is_tried_on_the_whole_text(see):
    rows = "".join(f"{n},'x, {n}'\n" for n in range(500))
    # One row that the other quote does not fit: so it is none.
    _, _, notes = see(f"a,b\n{rows}501,'x\n")
    assert not any("quote character" in note for note in notes)
