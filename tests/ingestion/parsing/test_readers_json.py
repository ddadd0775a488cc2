"""JSON and JSON a line -> rows: numbers as they were written, bad rows alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.readers import json_scanner as reader_module
from ingestion.parsing.readers import open_reader


@pytest.fixture
def read(tmp_path):
    def read_bytes(content: bytes, name: str = "input.json", size: int = 3, **reading: str):
        path = tmp_path / "input"
        path.write_bytes(content)
        return read_path(path, name, size, reading)

    return read_bytes


def read_path(path, name, size, reading):
    """Columns, (line, row, bytes) of each row, (line, code, bytes) of each rejected one, notes."""
    found = detect(path, name, reading=reading)
    rows: list[tuple[int, Any, bytes]] = []
    refused = []
    with open_reader(path, name=name, encoding=found.encoding, dialect=found.dialect) as reader:
        for chunk in reader.chunks(size):
            raws = [chunk.raw(index) for index in range(len(chunk.rows))]
            rows += zip(chunk.lines, chunk.rows, raws, strict=True)
            refused += [(row.line, row.code, row.raw) for row in chunk.rejects]
        return reader.columns, rows, refused, found.notes


def test_the_values_of_a_list_are_rows_with_their_number_and_bytes(read):
    columns, rows, refused, _ = read(b'[{"a": 1},\n {"b":"x", "a":null} ,{"c":[1,{"d":2}]}]')
    assert columns == ["a", "b", "c"]
    assert rows == [
        (1, {"a": 1}, b'{"a": 1}'),
        (2, {"b": "x", "a": None}, b'{"b":"x", "a":null}'),
        (3, {"c": [1, {"d": 2}]}, b'{"c":[1,{"d":2}]}'),
    ]
    assert refused == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-0", "-0"),
        ("1.5", 1.5),
        ("-0.0", "-0.0"),
        ("1.50", "1.50"),
        ("1e400", "1e400"),
        ("1E2", "1E2"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", "9223372036854775808"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_number_that_would_change_stays_the_text_it_was(read, written, value):
    _, ((_, row, _),), _, _ = read(f'[{{"n": {written}}}]'.encode())
    assert row == {"n": value}
    assert type(row["n"]) is type(value)


def test_rows_that_are_no_objects_or_repeat_a_name_are_rejected_alone(read):
    _, rows, refused, _ = read(b'[{"a":1,"a":2}, 3, "x", {"a":{"b":1,"b":2}}, {"a":1}, [], null]')
    assert [line for line, _, _ in rows] == [5]
    assert [(line, code) for line, code, _ in refused] == [
        (1, "repeated_name"),
        (2, "not_an_object"),
        (3, "not_an_object"),
        (4, "repeated_name"),
        (6, "not_an_object"),
        (7, "not_an_object"),
    ]
    assert refused[0][2] == b'{"a":1,"a":2}'


def test_a_row_that_is_nested_too_deeply_is_rejected_alone(read):
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    _, rows, refused, _ = read(b"[" + deep + b',{"a":1}]')
    assert [line for line, _, _ in rows] == [2]
    assert refused == [(1, "nested_too_deeply", deep)]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b'{"items": [{"a": 1}, {"a": 2}], "total": 2}', "items"),
        (b'{"meta": {"tags": ["x"]}, "data": {"items": [{"a": 1}, {"a": 2}]}}', "data.items"),
    ],
)
def test_the_only_list_of_objects_holds_the_rows(read, content, path):
    _, rows, _, notes = read(content)
    assert [row for _, row, _ in rows] == [{"a": 1}, {"a": 2}]
    assert any(repr(path) in note for note in notes)


def test_a_document_with_several_lists_is_one_row_until_one_is_named(read):
    content = b'{"a": [{"x": 1}], "b": [{"y": 2}, {"y": 3}]}'
    columns, rows, _, notes = read(content)
    assert (columns, len(rows)) == (["a", "b"], 1)
    assert any("several lists" in note for note in notes)
    _, rows, _, _ = read(content, rows_path="b")
    assert [row for _, row, _ in rows] == [{"y": 2}, {"y": 3}]


def test_a_path_that_leads_nowhere_is_refused_with_the_names_that_are_there(read):
    with pytest.raises(UnreadableInput, match=r"no 'data\.rows' in it.*'items'"):
        read(b'{"data": {"items": []}}', rows_path="data.rows")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'[{"a": 1},\n {"a": 2},]', r"Line 2, column 11 \(character 22\)"),
        (b'[{"a": 1}', "ends too early"),
        (b'[{"a": 1}] x', "unexpected data after the JSON value"),
        (b'[{"a": "x\ny"}]', "control character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": tru}', "Line 1, column 7"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(read, content, place):
    with pytest.raises(UnreadableInput, match=place):
        read(content)


def test_rows_are_found_whole_wherever_the_file_is_cut_into_pieces(read, monkeypatch):
    document = [{"n": n, "text": "ü" * n, "more": [n, -n, n + 0.5, True, None]} for n in range(30)]
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    for size in (1, 7, 64):
        monkeypatch.setattr(reader_module, "CHUNK_CHARACTERS", size)
        _, rows, _, _ = read(content)
        assert [row for _, row, _ in rows] == document


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_any_unicode(read, encoding):
    columns, rows, _, _ = read('[{"ä": "ü"}]'.encode(encoding))
    assert (columns, rows[0][1]) == (["ä"], {"ä": "ü"})


def test_a_name_that_no_column_can_have_is_none(read):
    columns, rows, _, _ = read(b'[{"a\\u0000": 1, "\\ud800": 2, "b": 3}]')
    assert (columns, len(rows)) == (["b"], 1)


def test_json_a_line_is_told_by_its_lines_and_a_bad_line_is_rejected_alone(read):
    content = b'{"a": 1}\n{"b": 2}\r\n\n{"a": \n[1]\n{"a":1} x\n{"a": NaN}\n{"a": 3}'
    columns, rows, refused, _ = read(content, name="rows.json")
    assert columns == ["a", "b"]
    assert rows == [
        (1, {"a": 1}, b'{"a": 1}\n'),
        (2, {"b": 2}, b'{"b": 2}\r\n'),
        (8, {"a": 3}, b'{"a": 3}'),
    ]
    assert refused == [
        (4, "no_json", b'{"a": \n'),
        (5, "not_an_object", b"[1]\n"),
        (6, "no_json", b'{"a":1} x\n'),
        (7, "no_json", b'{"a": NaN}\n'),
    ]


def test_a_file_without_the_ending_is_told_by_its_content(read):
    assert len(read(b'{"a": 1}\n{"a": 2}\n', name="upload")[1]) == 2
    assert len(read(b'[{"a": 1},{"a": 2}]', name="upload.txt")[1]) == 2


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), values, max_size=4), max_size=6))
def test_what_a_json_writer_writes_is_read_back(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("written") / "f"
    path.write_text(json.dumps(document))
    rows = [row for _, row, _ in read_path(path, "f.json", 2, {})[1]]
    assert list(map(leaves, rows)) == list(map(leaves, document))
    lines = "\n".join(map(json.dumps, document))
    path.write_text(lines + "\n")
    rows = [row for _, row, _ in read_path(path, "f.ndjson", 2, {})[1]]
    assert list(map(leaves, rows)) == list(map(leaves, document))


def leaves(row: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    """The cells of a row with their paths, in order, however deep it is nested."""
    found = []
    for name, cell in row.items():
        path = (*above, name)
        found += leaves(cell, path) if isinstance(cell, dict) and cell else [(".".join(path), cell)]
    return found


@pytest.mark.parametrize(
    ("content", "choices"),
    [
        (b'{"a": [{"x": 1}], "b": {"c": [{"y": 2}, {"y": 3}]}, "n": [1, 2]}', {"a": 1, "b.c": 2}),
        (b'{"t": [["x"], ["y"]], "k": {"one": {"a": 1}, "two": {"a": 2}}}', {"t": 2, "k": 2}),
        (b'[{"a": 1}]', {}),
        (b'{"a": [{"x": 1}]} {"a": []}', {}),
    ],
)
def test_the_paths_at_which_a_document_has_rows_are_told_with_their_counts(
    tmp_path, content, choices
):
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    assert detect(path, path.name).rows_paths == choices
