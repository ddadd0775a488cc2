"""Parquet -> rows: in order, each cell as exact text."""

import gzip
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import InputTooLarge, NoRoomToRead, UnreadableInput
from ingestion.parsing.detection import Detected, detect
from ingestion.parsing.inspection import Sizes, look_at
from ingestion.parsing.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS
from ingestion.parsing.readers import open_reader, parquet
from tests.parquet_files import write_parquet


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.parquet"


def read(path: Path) -> tuple[Detected, list[str], list[tuple[int, list[Any]]], list[Any]]:
    """What was detected, the columns, (line, cells) of the rows, and (line, code) of rejects."""
    found = detect(path, path.name)
    rows: list[tuple[int, list[Any]]] = []
    refused = []
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect, digest=found.digest
    ) as reader:
        for chunk in reader.chunks(1_000):
            rows += zip(chunk.lines, [list(row.values()) for row in chunk.rows], strict=True)
            refused += [(row.line, row.code) for row in chunk.rejects]
    return found, reader.columns, rows, refused


CELLS = [
    ("12345678901234567.890::DECIMAL(30, 3)", "12345678901234567.890"),
    ("'00501'", "00501"),
    ("9223372036854775807", "9223372036854775807"),
    ("0.1::DOUBLE", "0.1"),
    ("100::DOUBLE", "100.0"),
    ("0.1::FLOAT", "0.1"),
    ("true", "true"),
    ("false", "false"),
    ("NULL::VARCHAR", ""),
    ("NULL::INTEGER[]", ""),
    ("DATE '2024-03-04'", "2024-03-04"),
    ("TIMESTAMP '2024-03-04 05:06:07.123456'", "2024-03-04T05:06:07.123456"),
    ("TIMESTAMP_NS '2024-03-04 05:06:07.123456789'", "2024-03-04T05:06:07.123456789"),
    ("TIMESTAMPTZ '2024-03-04 05:06:07+02'", "2024-03-04T03:06:07Z"),
    ("TIME '05:06:07'", "05:06:07"),
    ("[1, 2, NULL]", "[1,2,null]"),
    ("{'a': 'x', 'b': [{'c': 1}]}", '{"a":"x","b":[{"c":1}]}'),
    ("MAP {'k': 1}", '{"k":1}'),
    ("'text'::BLOB", "text"),
    ("'\\xFF'::BLOB", "\\xFF"),
    ("e'a\\t\"b\\n\\r\\n\\x01é😀 '", 'a\t"b\n\r\n\x01é😀 '),
]  # fmt: skip


def test_each_cell_is_exact_text(path):
    cells = ", ".join(f"{sql} AS c{place}" for place, (sql, _) in enumerate(CELLS))
    _, _, rows, _ = read(write_parquet(path, f"SELECT {cells}"))
    assert rows == [(1, [text for _, text in CELLS])]


def test_rows_keep_their_order_over_groups_and_are_numbered(path):
    write_parquet(path, "SELECT range AS n FROM range(20_000)", ", ROW_GROUP_SIZE 2048")
    _, _, rows, _ = read(path)
    assert rows == [(n + 1, [str(n)]) for n in range(20_000)]


TYPED = "SELECT 1 AS a, {'x': 1, 'y': 'z'} AS b, 2.5 AS c"


def test_the_columns_and_their_types_are_told(path):
    found, columns, _, _ = read(
        write_parquet(path, "SELECT 1 AS a, {'x': 1, 'y': 'z'} AS b, 2.5 AS c")
    )
    assert found.dialect.format == "parquet"
    assert columns == ["a", "b", "c"]
    assert found.notes == [
        "The file is a Parquet file with 1 row and the columns a INTEGER, "
        "b STRUCT(x INTEGER, y VARCHAR), c DECIMAL(2,1)."
    ]


def test_the_name_of_the_file_does_not_matter(tmp_path):
    for name in ("a.csv", "[a]*?.data", "b='x'"):
        assert read(write_parquet(tmp_path / "x", "SELECT 1 AS a").rename(tmp_path / name))[2] == [
            (1, ["1"])
        ]


def test_a_compressed_file_is_unpacked(path):
    content = write_parquet(path, "SELECT 1 AS a").read_bytes()
    packed = path.with_name("data.parquet.gz")
    packed.write_bytes(gzip.compress(content))
    found, _, rows, _ = read(packed)
    assert rows == [(1, ["1"])]
    assert found.notes[0] == "The file was unpacked; data.parquet was read."


def test_names_that_differ_only_in_case_are_kept(path):
    content = write_parquet(path, 'SELECT 1 AS "name", 2 AS "xame"').read_bytes()
    path.write_bytes(content.replace(b"xame", b"Name"))
    assert read(path)[1:3] == (["name", "Name"], [(1, ["1", "2"])])


LONG = f"repeat('x', {MAX_CELL_CHARACTERS + 1})"


def test_a_cell_that_is_too_long_is_a_rejected_row(path):
    write_parquet(path, f"SELECT 1 AS n, {LONG} AS a UNION ALL SELECT 2, 'y'")
    _, _, rows, refused = read(path)
    assert refused == [(1, "cell_too_long")]
    assert rows == [(2, ["2", "y"])]


def test_too_many_columns_are_refused(path, monkeypatch):
    write_parquet(path, "SELECT " + ", ".join(f"1 AS c{n}" for n in range(MAX_COLUMNS + 1)))
    with pytest.raises(InputTooLarge, match="16,385 columns"):
        detect(path, path.name)


def test_what_unpacks_to_too_much_is_refused(path):
    write_parquet(path, "SELECT repeat('x', 10_000) AS a FROM range(50_000)")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputTooLarge, match="more than 268,435,456 bytes when unpacked"):
        read(path)


def test_what_takes_too_much_memory_is_refused(path):
    write_parquet(path, "SELECT repeat('x', 1_000_000) AS a FROM range(2_000)")
    with pytest.raises(UnreadableInput, match="its rows need too much memory"):
        read(path)


def test_what_there_is_no_room_for_is_refused(path, monkeypatch):
    write_parquet(path, "SELECT repeat('x', 1_000) AS a FROM range(5_000)")
    monkeypatch.setattr(parquet, "reserve", lambda folder: shutil.disk_usage(folder).free - 1_000)
    with pytest.raises(NoRoomToRead, match="not enough disk space"):
        read(path)


DAMAGED = "data.parquet can't be read: the Parquet file is damaged"


@pytest.mark.parametrize("end", [4, 8, 100, -1, -8])
def test_a_file_that_is_cut_off_is_refused(path, end):
    content = write_parquet(path, "SELECT range AS n FROM range(5_000)").read_bytes()
    path.write_bytes(content[:end])
    with pytest.raises(UnreadableInput, match=DAMAGED):
        read(path)


def test_any_damage_is_a_sentence_or_does_not_matter(path):
    chance = random.Random(15)  # noqa: S311
    write_parquet(path, "SELECT range AS n, 'text ' || range AS t, [range] AS l FROM range(3_000)")
    content = path.read_bytes()
    for _ in range(25):
        damaged = bytearray(content)
        # Half of the damage is in the footer, which is read first.
        first = 4 if chance.random() < 0.5 else len(content) - 700
        for _ in range(chance.randint(1, 5)):
            damaged[chance.randrange(first, len(content) - 4)] = chance.randrange(256)
        path.write_bytes(damaged)
        with suppress(UnreadableInput):
            read(path)


def test_an_encrypted_file_is_told_from_a_damaged_one(path):
    path.write_bytes(b"PARE" + b"\0" * 100 + b"PARE")
    with pytest.raises(UnreadableInput, match="it is an encrypted Parquet file"):
        detect(path, path.name)


def test_a_file_that_is_called_parquet_and_is_none_is_read_as_what_it_is(path):
    path.write_text("a,b\n1,2\n")
    assert detect(path, path.name).dialect.format == "delimited"
    with pytest.raises(UnreadableInput, match=DAMAGED):
        detect(path, path.name, reading={"format": "parquet"})


def test_a_preview_shows_columns_types_and_rows(path):
    write_parquet(path, "SELECT range AS id, 'x' AS name FROM range(100)")
    seen = look_at(
        path=path,
        name=path.name,
        reading={},
        named={},
        remembered={},
        before=[],
        told=None,
        merges=False,
        sizes=Sizes(whole=100),
    )
    assert (seen.error, seen.partly, seen.lines) == ("", False, [])
    assert seen.rows[:2] == [["0", "x"], ["1", "x"]]
    assert seen.found is not None
    assert "id BIGINT, name VARCHAR" in seen.found.notes[0]
