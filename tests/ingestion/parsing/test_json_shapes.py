"""JSON documents of all shapes -> rows: nested objects, lists, keys, several documents."""

import json
from typing import Any

import pytest

from ingestion.errors import RowError, UnreadableInput
from ingestion.parsing.detection import detect
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.limits import MAX_NESTED_COLUMNS
from ingestion.parsing.readers import json_scanner, open_reader
from ingestion.parsing.readers.single import read_row


@pytest.fixture
def read(tmp_path):
    """Columns, rows, (line, code) of rejected rows and notes of a document."""

    def read_document(document: Any, name: str = "input.json", **reading: str):
        path = tmp_path / "input"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        found = detect(path, name, reading=reading)
        rows: list[dict[str, Any]] = []
        refused = []
        with open_reader(
            path,
            name=name,
            encoding=found.encoding,
            dialect=found.dialect,
            columns=found.columns,
            digest=found.digest,
        ) as reader:
            for chunk in reader.chunks(2):
                for place, row in enumerate(chunk.rows):
                    text = chunk.raw(place).decode()
                    assert read_row(text, dialect=found.dialect, columns=reader.columns) == row
                rows += chunk.rows
                refused += [(row.line, row.code) for row in chunk.rejects]
                for reject in chunk.rejects:
                    text = reject.raw.decode()
                    with pytest.raises(RowError) as error:
                        read_row(text, dialect=found.dialect, columns=reader.columns)
                    assert error.value.code == reject.code
        return reader.columns, rows, refused, " ".join(found.notes)

    return read_document


def test_nested_objects_are_columns_and_lists_are_cells(read):
    document = {"features": [
        {"id": 1, "at": {"place": {"name": "x"}, "mag": 1.5}, "points": [1, {"a": 2}]},
        {"id": 2, "at": {"mag": 2.5}, "points": []},
    ]}  # fmt: skip
    columns, rows, _, notes = read(document)
    assert columns == ["id", "at.place.name", "at.mag", "points"]
    assert rows[0] == {"id": 1, "at.place.name": "x", "at.mag": 1.5, "points": [1, {"a": 2}]}
    assert rows[1] == {"id": 2, "at.mag": 2.5, "points": []}
    assert "columns of their own, such as 'at.place.name'" in notes


def test_nested_objects_are_columns_in_ndjson_as_well(read):
    text = '{"a": {"b": 1.50}}\n{"a": 5}\n{"a": {}}\n{"a": {"b": NaN}}\n'
    columns, rows, refused, _ = read(text, name="rows.ndjson")
    assert columns == ["a.b", "a"]
    assert rows == [{"a.b": "1.50"}, {"a": 5}, {"a": {}}]
    assert refused == [(4, "no_json")]


def test_nested_objects_stay_cells_if_they_would_make_too_many_columns(read):
    many = [{"id": n, "by": {f"{n}_{key}": 1 for key in range(MAX_NESTED_COLUMNS)}} for n in (1, 2)]
    columns, rows, _, notes = read(many)
    assert (columns, rows) == (["id", "by"], many)
    assert "more than 1,000 columns" in notes


def test_two_columns_never_get_the_same_name(read):
    document = [{"a.b": 1, "a": {"b": 2}}]
    assert read(document)[:2] == (["a.b", "a"], document)


def test_what_is_nested_deeper_than_the_limit_is_one_cell(read):
    columns, rows, _, _ = read([{"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}])
    assert (columns, rows) == (["a.b.c.d.e.f"], [{"a.b.c.d.e.f": {"g": 1}}])


@pytest.mark.parametrize(
    ("document", "rows", "note"),
    [
        ([["k", "when"], ["1", "2024-01-02"], ["2", "2024-01-03"]], 2, "first one was read"),
        ({"range": "A1", "values": [["k", "when"], ["1", "x"]]}, 1, "list 'values'"),
        ({"columns": ["k", "when"], "index": [0], "data": [["a", 1]]}, 1, "list 'columns'"),
        ({"columns": ["k", "when"], "index": [0, 1], "data": [["a", 1], ["b", 2]]}, 2, "'data'"),
        ({"fields": [{"name": "k"}, {"name": "when"}], "rows": [["a", 1]]}, 1, "list 'fields'"),
        ([{"pages": 1}, [["k", "when"], ["a", "b"]]], 1, "index '1'"),
    ],
)
def test_rows_that_are_lists_get_the_names_of_a_header(read, document, rows, note):
    columns, found, refused, notes = read(document)
    assert (columns, len(found), refused) == (["k", "when"], rows, [])
    assert note in notes


def test_lists_without_a_header_get_numbered_columns(read):
    columns, rows, _, notes = read([["a", 1], ["b", 2], ["c", 3]])
    assert columns == ["column_1", "column_2"]
    assert (len(rows), "without a header" in notes) == (3, True)
    columns, rows, _, _ = read([["a", "b"], ["c", "d"]], header="none")
    assert (columns[0], len(rows)) == ("column_1", 2)


def test_a_list_that_does_not_fit_the_header_is_rejected_alone(read):
    document = [["a", "b"], [1, 2], [1], [1, 2, 3], {"a": 1}, [3, 4]]
    _, rows, refused, _ = read(document)
    assert rows == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert refused == [(3, "too_few_cells"), (4, "too_many_cells"), (5, "not_a_list")]


def test_objects_by_key_are_rows_with_the_key_as_a_column(read):
    document = {"BTC": {"price": 1.5, "l": [{"x": 1}]}, "ETH": {"price": 2, "more": {"n": 1}}}
    columns, rows, _, notes = read(document)
    assert columns == ["key", "price", "l", "more.n"]
    assert rows[1] == {"key": "ETH", "price": 2, "more.n": 1}
    assert "column 'key'" in notes
    assert read({"status": "ok", "data": document})[1] == rows
    assert read({"x": {"key": 1}, "y": {"key": 2}})[0] == ["key_2", "key"]


@pytest.mark.parametrize("document", [{"a": {"x": 1}, "b": {"y": 1}}, {"a": {"x": 1}}])
def test_objects_that_are_not_alike_are_no_rows(read, document):
    assert len(read(document)[1]) == 1


def test_a_path_may_name_the_index_of_a_list(read):
    document = [{"page": 1}, [{"a": 1}, {"a": 2}]]
    assert read(document)[1] == document[1]
    assert read(document, rows_path="1")[1] == document[1]
    assert read(document, rows_path="0")[1] == [document[0]]
    assert read({"x": [[{"a": 1}]]}, rows_path="x.0")[1] == [{"a": 1}]
    with pytest.raises(UnreadableInput, match="there is no '7' in it"):
        read(document, rows_path="7")


def test_rows_beside_an_object_about_them_may_be_larger_than_what_is_read_at_once(
    read, monkeypatch
):
    monkeypatch.setattr(json_scanner, "CHUNK_CHARACTERS", 100)
    document = [{"page": 1}, [{"a": n} for n in range(500)]]
    assert read(document)[1] == document[1]


def test_documents_that_follow_each_other_are_a_row_each(read):
    documents = [{"id": n, "v": {"w": n}} for n in range(4)]
    text = "\n".join(json.dumps(document, indent=2) for document in documents)
    columns, rows, _, notes = read(text)
    assert (columns, rows) == (["id", "v.w"], [{"id": n, "v.w": n} for n in range(4)])
    assert "several JSON documents" in notes
    assert read('[{"a": 1}] [{"a": 2}]')[1] == [{"a": 1}, {"a": 2}]
    with pytest.raises(UnreadableInput, match="ends too early"):
        read('{"a": 1}\n\n{"a":\n')


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_json_does_not_have_costs_its_row_alone(read, constant):
    _, rows, refused, _ = read(f'[{{"v": 1}}, {{"v": {constant}}}, {{"v": {{"w": {constant}}}}}]')
    assert (rows, refused) == ([{"v": 1}], [(2, "no_json"), (3, "no_json")])
    with pytest.raises(RowError, match=f"contains {constant}, which is not valid JSON"):
        read_row(f'{{"v": {constant}}}', dialect=Dialect(format=Format.JSON), columns=["v"])
