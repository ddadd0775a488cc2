"""Rows of text become JSON by column, as each would by itself."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ingestion.parsing.readers.table import Table

COLUMNS = ["id", 'a "b"', "ü"]
CELL = st.text(st.sampled_from('ab "\\\t\n\x1f\x7f\xa0\u2028é😀,'), max_size=6)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8))
def test_rows_as_json_are_those_of_the_library(rows):
    one_by_one = [orjson.dumps(dict(zip(COLUMNS, row, strict=True))).decode() for row in rows]
    assert Table(COLUMNS, rows).json() == one_by_one


def test_rows_that_no_database_can_hold_have_no_json():
    assert Table(["a"], [["fine"], ["a\0b"]]).json() is None
    assert Table(["a"], [["fine"], ["a\udc80b"]]).json() is None


def test_the_members_of_rows_may_have_another_order():
    rows = Table(["id", "a"], [["1", "x"], ["2", '"']])
    assert rows.json(["a"]) == rows.json(["a", "id", "b"]) == rows.json()
    assert rows.json(["a", "id"]) == ['{"a":"x","id":"1"}', '{"a":"\\"","id":"2"}']
