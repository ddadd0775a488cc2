"""A snapshot holds exactly what the tables hold."""

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.columns.snapshot import snapshot
from records import store
from records.models import ProcessingResult
from records.visible_sources import limited_to
from tests.explore.columns.plain import assert_whole, snapshot_rows
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def test_it_holds_records_with_their_current_results():
    land("shop", {"1": sale(1), "2": sale(2, value="none"), "3": sale(3)}, timestamp=None)
    process_all()
    store.edit_record(record_id="shop:3", data=sale(4), user=None)
    land("other", {"1": sale(1)})
    assert_whole("shop")
    assert_whole("shop", "other")
    with snapshot(sources=["shop"]) as found:
        value = found.result_column("value")
        rows = found.connection.execute(
            f"SELECT id, status, success, {value} FROM records ORDER BY id"
        ).fetchall()
        assert rows[0] == ("shop:1", "processed", True, 1.5)
        assert rows[2] == ("shop:3", "raw", None, None)
        assert found.data_column("nothing") is None


def test_columns_with_any_name_are_told_apart():
    names = ["a", "A", "a.b", 'say "x"', "", "data.a", "id", "source", "$.*", "/", "~0", "0", "É",
             "é", "x" * 3000, "two\nlines", "\U0001f989"]  # fmt: skip
    land("shop", {"1": {name: f"cell {place}" for place, name in enumerate(names)}})
    land("shop", {"2": {"A": "2", "B": "3", "b": "4"}})
    process_all()
    assert_whole("shop")
    with snapshot(sources=["shop"]) as found:
        cells = found.connection.execute(
            f"SELECT {', '.join(filter(None, map(found.data_column, names)))} FROM records "
            "WHERE id = 'shop:1'"
        ).fetchone()
        assert cells == tuple(f"cell {place}" for place in range(len(names)))


@pytest.mark.parametrize(
    "cell",
    ["", "null", "1e400", "00501", "two\nlines", "\ttab\r", "\x01", '"', "\\", "\\N", "Größe",
     "日本", "\U0001f989", "x" * 3_000_000, 1.50, 1e300, 12345678901234567890, True, None,
     {"a": [1, "x"]}, []],
)  # fmt: skip
def test_cells_are_exact(cell):
    land("shop", {"1": {"cell": cell, "more": "x"}, "2": {"cell": "text"}})
    assert_whole("shop")


@pytest.mark.parametrize("key", ["two\nlines", "\x01", "tab\t", '"', "日本", " ", "\\", "\r"])
def test_ids_are_exact(key):
    land("shop", {key: sale(1)})
    process_all()
    assert_whole("shop")


@pytest.mark.parametrize(
    ("cells", "of_type"),
    [
        ([1.5, 2, -0.25, None], "DOUBLE"),
        ([9007199254740993], "VARCHAR"),
        ([9007199254740992, 2**70], "DOUBLE"),
        ([10**400], "VARCHAR"),
        (["1"], "VARCHAR"),
        ([1.5, "none", True, [1]], "VARCHAR"),
        ([None], "UNKNOWN"),
    ],
)
def test_results_are_numbers_where_all_cells_are(cells, of_type):
    land("shop", {str(number): sale(number) for number in range(len(cells))})
    process_all()
    for number, cell in enumerate(cells):
        ProcessingResult.objects.filter(record_id=f"shop:{number}").update(
            processed_data={"cell": cell}
        )
    assert_whole("shop")
    with snapshot(sources=["shop"]) as found:
        assert [column.type for column in found.columns if column.kind == "result"] == [of_type]


def test_many_columns_are_read():
    land(
        "shop", {"1": {f"column {number}": str(number) for number in range(3000)}, "2": {"x": "1"}}
    )
    with snapshot(sources=["shop"]) as found:
        assert len(found.columns) == 3001
        assert len(snapshot_rows(found)["shop:1"]) > 3000


def test_sources_that_are_hidden_or_do_not_exist_have_no_records():
    land("shop", {"1": sale(1)})
    land("other", {"1": sale(1)})
    with limited_to({"other"}), snapshot(sources=["shop", "other", "none"]) as found:
        assert set(snapshot_rows(found)) == {"other:1"}
    with snapshot(sources=[]) as found:
        assert snapshot_rows(found) == {}


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
CELL = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), st.integers(-(2**70), 2**70)),
    lambda cells: st.lists(cells, max_size=2) | st.dictionaries(TEXT, cells, max_size=2),
    max_leaves=3,
)


@settings(max_examples=60)
@given(rows=st.lists(st.dictionaries(TEXT, CELL, max_size=4), max_size=3))
def test_any_cells_are_exact(db, rows):
    with transaction.atomic():
        if rows:
            land("shop", {str(number): cells for number, cells in enumerate(rows)})
        assert_whole("shop")
        transaction.set_rollback(True)
