"""Column mapping, and the records that rows become with it."""

import json
from collections import Counter
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import MissingColumns
from ingestion.parsing.mapping import column_names, propose
from ingestion.parsing.row_mapper import RowMapper, join_key

DAY = "2025-01-02 00:00:00"


def mapper(columns, **mapping):
    """A function from a line and cells to a row or an error, and the mapper behind it."""
    seen: Counter[bytes] = Counter()

    def occurrences(digest: bytes) -> int:
        seen[digest] += 1
        return seen[digest]

    made = RowMapper(
        source="s", columns=columns, mapping=mapping, zone=UTC, occurrences=occurrences
    )

    def to_row(line, cells):
        (row,) = made([line], [dict(zip(columns, cells, strict=True))])
        return row

    return to_row, made


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["id", "timestamp", "value", "category"],
            {
                "id": ["id"],
                "timestamp": ["timestamp"],
                "value": ["value"],
                "category": ["category"],
            },
        ),
        (
            ["Order ID", "Order Date", "Total Amount", "Product Type"],
            {
                "id": ["Order ID"],
                "timestamp": ["Order Date"],
                "value": ["Total Amount"],
                "category": ["Product Type"],
            },
        ),
        (
            ["sku", "when", "how many", "what"],
            {"id": [], "timestamp": ["when"], "value": ["how many"], "category": []},
        ),
    ],
)
def test_roles_are_proposed_from_names(columns, expected):
    rows = [[f"K{n}", f"2025-01-{n + 1:02}", f"{n}.5", "ab"[n % 2]] for n in range(9)]
    assert propose(columns, rows, key=expected["id"]) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('a, b\nc\r\n"d\ne"', ["a", "b", "c", "d\ne"]),
        ("id", ["id"]),
        ("Date, Time", ["Date", "Time"]),
        ('"Name, first",Name', ["Name, first", "Name"]),
        ("id,id", ["id"]),
        ("", []),
        (" , ", []),
    ],
)
def test_columns_are_listed_with_commas(text, names):
    assert column_names(text) == names


def test_date_and_time_make_one_timestamp():
    rows = [["1", "1/27/2025", "10:30", "5"], ["2", "1/28/2025", "11:30", "6"]]
    assert propose(["id", "Date", "Time", "Total"], rows)["timestamp"] == ["Date", "Time"]


def test_a_name_that_its_cells_belie_is_not_proposed():
    rows = [["7", "soon", "many", "x"], ["7", "later", "few", "y"], ["7", "now", "some", "x"]]
    roles = propose(["customer_id", "date", "value", "category"], rows)
    assert roles == {"id": [], "timestamp": [], "value": [], "category": ["category"]}


def test_a_row_keeps_every_cell_as_the_text_it_was():
    cells = ["00501", "123456789012345678", "NA", "1e400", " x "]
    to_row, _ = mapper(["id", "a", "b", "c", "d"], id=["id"])
    row = to_row(7, cells)
    assert (row.id, row.line) == ("s:00501", 7)
    assert json.loads(row.data) == dict(zip(["id", "a", "b", "c", "d"], cells, strict=True))


def test_date_and_time_are_read_together():
    columns = ["id", "d", "t"]
    to_row, made = mapper(
        columns, id=["id"], timestamp=["d", "t"], timestamp_format="%m/%d/%Y %H:%M"
    )
    assert to_row(2, ["1", "1/2/2025", "00:00"]).timestamp == DAY
    assert to_row(3, ["2", "1/2/2025", "late"]).timestamp is None
    assert (made.unreadable_moments, made.first_unreadable) == (1, 3)


@given(st.lists(st.lists(st.text("a|\\", max_size=3), min_size=2, max_size=2), max_size=20))
def test_joined_keys_are_equal_only_where_all_parts_are(keys):
    assert len({join_key(parts) for parts in keys}) == len({tuple(parts) for parts in keys})


def test_rows_without_a_key_are_told_apart_by_content_and_occurrence():
    made, _ = mapper(["a", "b"])
    first, again, other = made(2, ["x", "y"]), made(3, ["x", "y"]), made(4, ["x", "z"])
    assert len({first.id, again.id, other.id}) == 3
    assert first.id.removesuffix("-1") == again.id.removesuffix("-2")
    assert mapper(["b", "a"])[0](2, ["y", "x"]).id == first.id


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["", "x"], "missing_key"),
        (["   ", "x"], "missing_key"),
        (["k" * 254, "x"], "key_too_long"),
        (["1", "a\0b"], "nul_character"),
        (["1", "a\udcffb"], "bad_bytes"),
    ],
)
def test_a_row_that_no_record_can_hold_is_refused(cells, code):
    to_row, _ = mapper(["id", "a"], id=["id"])
    assert to_row(2, cells).code == code


def test_a_backslash_before_u0000_is_no_nul():
    to_row, _ = mapper(["id", "a"], id=["id"])
    assert to_row(2, ["1", "\\u0000"]).id == "s:1"


def test_a_mapping_of_missing_columns_is_refused_with_what_there_is():
    with pytest.raises(MissingColumns, match=r"no column 'total' \(value\).*'id', 'amount'"):
        mapper(["id", "amount"], id=["id"], value=["total"])
