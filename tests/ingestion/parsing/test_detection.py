"""What a file is, told from all of its bytes."""

import hashlib

import pytest

from ingestion.errors import InvalidReading, UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.detection.encoding import CHUNK_BYTES
from ingestion.parsing.dialect import Dialect, Format


@pytest.fixture
def found(tmp_path):
    def detect_bytes(content: bytes, name: str = "input.csv", **reading: str):
        path = tmp_path / "input"
        path.write_bytes(content)
        return detect(path, name, reading=reading)

    return detect_bytes


def test_size_and_digest_are_those_of_the_bytes(found):
    content = b"a,b\n1,2\n"
    assert found(content).digest.size == len(content)
    assert found(content).digest.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
    ],
)
def test_unicode_is_told_by_its_mark_or_its_bytes(found, encoding, expected):
    assert found("name,city\nJürgen,Zürich\n".encode(encoding)).encoding == expected


def test_a_wrong_byte_after_megabytes_is_noticed(found):
    content = b"a,b\n" + b"1,2\n" * (CHUNK_BYTES // 2) + b"\xfc,1\n"
    assert found(content).encoding == "cp1252"


def test_utf8_with_one_wrong_byte_stays_utf8_and_says_so(found):
    result = found("a,b\nü,ö\nä,ß\n".encode() + b"\xfc,1\n")
    assert result.encoding == "utf-8"
    assert any("rejected" in note for note in result.notes)


def test_a_legacy_encoding_is_a_guess_and_says_so(found):
    result = found("Name;Straße\nJürgen;Königsweg\n".encode("cp1252"))
    assert result.encoding == "cp1252"
    assert any("guess" in note for note in result.notes)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("El niño pequeño comió mañana en España\nCafé,acción,corazón,años,señor\n", "cp1252"),
        ("Straße,Größe,Käufer\nJürgen,Königsweg,übergroß\n", "cp1252"),
        ("Иванов Иван,Санкт-Петербург,12\nПетров Пётр,Казань,15\n", "cp1251"),
        ("Łódź,Kraków,zażółć gęślą jaźń\nświęto,źródło,ćma,żółw\n", "cp1250"),
        ("Αθήνα,Ελλάδα,παραγγελία,πελάτης\n", "cp1253"),
        ("東京,注文,顧客,日付\n大阪,商品,価格\n", "cp932"),
    ],
)
def test_languages_are_told_from_each_other(found, text, encoding):
    assert found((text * 30).encode(encoding)).encoding == encoding


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_rows(found, delimiter):
    rows = [["id", "name", "amount"], *([str(n), f"item {n}", f"{n}.5"] for n in range(20))]
    content = "\n".join(delimiter.join(row) for row in rows).encode()
    assert found(content).dialect == Dialect(delimiter=delimiter)


def test_one_column_needs_no_delimiter(found):
    assert found(b"name\nx\ny\n").dialect.delimiter == ","


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04rest", "archive is damaged"),
        (b"\x1f\x8brest", "archive is damaged"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"\x89PNG\r\n", "image"),
        (bytes(range(32)) * 20, "binary"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(found, content, reason):
    with pytest.raises(UnreadableInput, match=reason):
        found(content)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UnreadableInput, match=r"gone\.csv can't be read: No such file"):
        detect(tmp_path / "gone.csv", "gone.csv")


def _text(*rows: str) -> bytes:
    return "\n".join(rows).encode()


@pytest.mark.parametrize("delimiter", ["^", "~", ":", "\x1f", "\x01"])
def test_a_rare_delimiter_is_found_where_the_usual_fit_nothing_and_told(found, delimiter):
    rows = [["id", "name", "note"], *([str(n), f"item {n}", "a, b"[: n % 5]] for n in range(20))]
    result = found(_text(*(delimiter.join(row) for row in rows)))
    assert result.dialect == Dialect(delimiter=delimiter)
    assert any(repr(delimiter) in note for note in result.notes)


def test_excels_word_on_the_delimiter_is_taken(found):
    result = found(b"sep=;\nid;name\n1;a,b\n2;c,d\n")
    assert (result.dialect.delimiter, result.dialect.skip) == (";", 1)


@pytest.mark.parametrize(
    ("above", "skip"),
    [
        (["# made by a machine", "# on Monday, at noon"], 2),
        (["Sales report", "", "Region: North"], 3),
        (["Sales report,,", "All of 2024,,"], 2),
        (["", "Report, final", ""], 3),
    ],
)
def test_lines_above_the_header_are_passed_over_and_told(found, above, skip):
    result = found(_text(*above, "id,name,amount", "1,x,2.5", "2,y,3.5", "3,z,4"))
    assert (result.dialect.skip, result.dialect.header) == (skip, 1)
    assert any(f"starts in line {skip + 1}" in note for note in result.notes)


@pytest.mark.parametrize(
    "rows",
    [
        ("name", "Smith, John", "Doe, Jane", "Roe, Jim"),
        ("a,b", "1", "1,2", "1,2,3"),
        ("id,,", "x,y,z", "u,v,w"),
        ("country,2019,2020", "DE,1,2", "FR,3,4", "IT,5,6"),
        ("2019,2020", "1,2", "3,4"),
        ("id,name", "1,x"),
        ("12,13",),
        (",id,name", "a,1,x", "b,2,y"),
    ],
)
def test_a_first_line_that_may_be_the_header_stays_it(found, rows):
    dialect = found(_text(*rows)).dialect
    assert (dialect.skip, dialect.header, dialect.left, dialect.surplus) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("rows", "skip"),
    [
        (("1,x,2024-01-01", "2,y,2024-01-02", "3,z,2024-01-03"), 0),
        (("# no names", "17.5,1", "18.5,2", "19.0,3"), 1),
    ],
)
def test_a_first_row_of_the_kind_of_those_below_is_no_header(found, rows, skip):
    result = found(_text(*rows))
    assert (result.dialect.skip, result.dialect.header) == (skip, 0)
    assert any("column_1" in note for note in result.notes)


@pytest.mark.parametrize(
    "rows",
    [
        ("id,Films seen,,,Age", ",One,Two,Three,", "1,x,,y,30", "2,,x,y,40"),
        ("country,2019,,2020,", ",count,sum,count,sum", "DE,1,2,3,4", "FR,1,2,3,4"),
        (",2019,,2020,", "country,count,sum,count,sum", "DE,1,2,3,4", "FR,1,2,3,4"),
    ],
)
def test_two_header_rows_that_fill_each_others_gaps_are_found(found, rows):
    result = found(_text(*rows))
    assert (result.dialect.skip, result.dialect.header) == (0, 2)
    assert any("2 rows" in note for note in result.notes)


def test_a_table_that_starts_further_right_and_down_is_found(found):
    result = found(_text("Report", "", ",,id,name", ",,1,x", ",,2,y"))
    assert (result.dialect.skip, result.dialect.left) == (2, 2)
    assert any("column 3" in note for note in result.notes)


def test_delimiters_at_the_end_of_rows_or_of_the_header_alone_are_found(found):
    assert found(_text("a,b", "1,2,", "3,4,")).dialect.surplus == 1
    assert found(_text("a,b,", "1,2", "3,4")).dialect.surplus == -1
    assert found(_text("a,b,", "1,2,", "3,4,")).dialect.surplus == 0


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ({"delimiter": "tab"}, Dialect(delimiter="\t")),
        ({"delimiter": "\\t"}, Dialect(delimiter="\t")),
        ({"delimiter": "\\x1f"}, Dialect(delimiter="\x1f")),
        ({"quote": "none"}, Dialect(quote="")),
        ({"quote": "'", "escape": "\\"}, Dialect(quote="'", escape="\\")),
        ({"header": "none"}, Dialect(header=0)),
        ({"header": "2"}, Dialect(skip=1)),
        ({"header": "1-2"}, Dialect(header=2)),
        ({"skip": "1"}, Dialect(skip=1)),
        ({"skip": "", "delimiter": ""}, Dialect()),
    ],
)
def test_what_the_user_says_is_taken_for_granted(found, reading, expected):
    assert found(b"a,b\nc,d\ne,f\ng,h\n", **reading).dialect == expected


def test_the_path_that_the_user_says_is_taken_for_granted(found):
    content = b'{"a": {"b": [{"x": 1}]}, "c": [{"x": 1}]}'
    expected = Dialect(format=Format.JSON, rows_path="a.b")
    assert found(content, format="json", rows_path="a.b").dialect == expected


def test_an_encoding_that_the_user_names_is_no_guess(found):
    result = found("a,b\nł,1\n".encode("cp1250"), encoding="windows-1250")
    assert (result.encoding, result.notes) == ("cp1250", [])


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"encoding": "klingon"}, "'klingon' is not a valid encoding"),
        ({"encoding": "rot13"}, "is not a valid encoding"),
        ({"encoding": "base64"}, "is not a valid encoding"),
        ({"format": "pdf"}, "one of delimited, json, ndjson, xlsx"),
        ({"delimiter": "ab"}, "one character"),
        ({"delimiter": "\n"}, "one character"),
        ({"delimiter": "'", "quote": "'"}, "is not a valid delimiter"),
        ({"header": "first"}, "'first' is not a valid header"),
        ({"header": "0"}, "is not a valid header"),
        ({"header": "2", "skip": "3"}, "is not a valid header"),
        ({"header": "3-2"}, "is not a valid header"),
        ({"skip": "-1"}, "number of lines"),
        ({"skip": "99999999999"}, "number of lines"),
        ({"sheet": "a\0"}, "is not a valid sheet"),
        ({"colour": "red"}, "'red' is not a valid colour"),
        ({"format": "json", "delimiter": ","}, "delimited text only"),
    ],
)
def test_what_can_not_be_said_is_refused_in_a_sentence(found, reading, message):
    with pytest.raises(InvalidReading, match=message):
        found(b"a,b\nc,d\n", **reading)


def test_a_named_column_that_is_empty_stays_where_rows_are_cut_short(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("id,date,till,kind\n,2025-01-02\n,2025-01-03\n")
    assert detect(path, "short.csv").dialect.left == 0
