"""The profile of an input's columns."""

import random
import sys
import tracemalloc

import pytest

from ingestion.parsing import profile
from ingestion.parsing.profile import ColumnProfile, Profile
from ingestion.parsing.readers.table import Table


def profiled(*cells, chunk=1_000) -> ColumnProfile:
    seen = Profile(["a"])
    for start in range(0, len(cells), chunk):
        seen.add([{"a": cell} for cell in cells[start : start + chunk]])
    (column,) = seen.columns()
    return column


def test_a_column_is_counted_over_all_chunks():
    column = profiled("b", "a", "", " ", "b", None, "12", chunk=2)
    assert column == ColumnProfile(
        name="a", filled=4, empty=3, distinct=3, exact=True, numbers=0.25, least="12",
        greatest="b", top=[("b", 2), ("a", 1), ("12", 1)], looks_like="text",
    )  # fmt: skip


def test_the_extremes_of_numbers_are_by_number_and_as_they_stand():
    column = profiled("9", "10", "-1.50", "007", "9", "1e400")
    assert (column.least, column.greatest, column.looks_like) == ("-1.50", "1e400", "number")


@pytest.mark.parametrize(
    "cells",
    [
        ["15.01.2024", "02.02.2023", "31.12.2022"],
        ["Jan 15, 2024", "Feb 2, 2023", "Dec 31, 2022"],
        ["2024-1-15", "2023-02-02", "2022-12-31"],
    ],
)
def test_the_extremes_of_dates_are_by_time(cells):
    column = profiled(*cells, "soon", *cells, chunk=2)
    assert (column.least, column.greatest) == (cells[2], cells[0])


@pytest.mark.parametrize(
    ("cells", "looks_like"),
    [
        (["", None], "empty"),
        (["00501", "00502", "00503"], "id"),
        (["A-1", "A-2", "A-3"], "id"),
        (["1.5", "2.5", "3"], "number"),
        (["2025-01-02", "2025-01-03"], "date"),
        (["03/04/2025", "13/04/2025", ""], "date"),
        (["tea", "tea", "milk", "milk"], "category"),
        (["a word or two", "and some more", "and more"], "text"),
        (["True", "nan", "inf", "1_000"], "id"),
    ],
)
def test_what_a_column_looks_like(cells, looks_like):
    assert profiled(*cells).looks_like == looks_like


def test_words_that_only_float_takes_for_numbers_are_none():
    assert profiled("nan", "inf", "1_000", "٣", "12").numbers == 0.2


def test_cells_that_are_no_text_are_profiled_as_their_json():
    assert profiled({"b": 1}, [1], 2.5, True).top[0] == ('{"b":1}', 1)


def test_rows_of_a_table_are_looked_at_by_column_and_never_one_by_one(monkeypatch):
    # A table of 2,000 columns took half a minute when each of them went through all rows.
    monkeypatch.delattr(Table, "__iter__")
    monkeypatch.delattr(Table, "__getitem__")
    seen = Profile(["a", "b"])
    seen.add(Table(["a", "b"], [["1", "x"], ["2", "x"]]))
    assert [column.top for column in seen.columns()] == [[("1", 1), ("2", 1)], [("x", 2)]]


def test_many_different_cells_are_estimated_and_the_frequent_ones_found():
    cells = [f"cell {n}" for n in range(100_000)] + ["often"] * 20_000
    random.Random(3).shuffle(cells)  # noqa: S311 (a test)
    column = profiled(*cells, chunk=5_000)
    assert not column.exact
    assert column.distinct == pytest.approx(100_001, rel=0.08)
    assert column.top[0] == ("often", 20_000)


def test_memory_stays_flat_however_long_and_different_the_cells_are():
    seen = Profile(["a"])
    tracemalloc.start()
    for start in range(0, 40_000, 1_000):
        seen.add([{"a": f"{n}" + "x" * 2_000} for n in range(start, start + 1_000)])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < profile.CANDIDATES * sys.getsizeof("x" * 200) * 3


def test_a_cell_that_holds_half_a_character_is_no_obstacle():
    assert profiled("a\udcff", "b\0").filled == 2
