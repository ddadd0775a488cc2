"""What a file is, told from all of its bytes."""

import hashlib

import pytest

from ingestion.detection import CHUNK_BYTES, Dialect, detect
from ingestion.errors import UnreadableInput


@pytest.fixture
def found(tmp_path):
    def detect_bytes(content: bytes):
        path = tmp_path / "input.csv"
        path.write_bytes(content)
        return detect(path, "input.csv")

    return detect_bytes


def test_size_and_digest_are_those_of_the_bytes(found):
    content = b"a,b\n1,2\n"
    assert found(content).size == len(content)
    assert found(content).sha256 == hashlib.sha256(content).hexdigest()


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
        (b"", "empty"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b'{"a": 1}', "JSON"),
        (b'[\n  {\n    "a": 1', "JSON"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"\x89PNG\r\n", "picture"),
        (bytes(range(32)) * 20, "binary"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(found, content, reason):
    with pytest.raises(UnreadableInput, match=reason):
        found(content)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UnreadableInput, match=r"gone\.csv can't be read: No such file"):
        detect(tmp_path / "gone.csv", "gone.csv")
