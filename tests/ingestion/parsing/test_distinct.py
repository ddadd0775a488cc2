"""Whether cells repeat, whatever the length of the input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.parsing import distinct
from ingestion.parsing.distinct import KeyCells


def counted(*chunks, **options):
    cells = KeyCells(**options)
    for chunk in chunks:
        cells.add(chunk)
    return cells


def test_repeated_and_blank_cells_are_counted():
    cells = counted(["a", "b", "", "a"], [" ", "c", "a"])
    assert (cells.filled, cells.blank, cells.repeats()) == (5, 2, 2)
    assert not cells.never_repeats
    assert counted(["a"], ["b", ""]).never_repeats
    assert counted([]).repeats() == 0


@given(st.lists(st.lists(st.sampled_from([*"abcdefghij", "", " "]), max_size=8), max_size=12))
def test_cells_that_spill_to_the_disk_are_counted_as_well(chunks):
    run, distinct.RUN = distinct.RUN, 3
    try:
        cells = counted(*chunks)
        filled = [cell for chunk in chunks for cell in chunk if cell.strip()]
        assert cells.repeats() == len(filled) - len(set(filled))
        cells.add(["a"])
        assert cells.repeats() == len(filled) + 1 - len({*filled, "a"})
        cells.close()
    finally:
        distinct.RUN = run


def test_a_long_column_without_a_repetition_is_proven(monkeypatch):
    monkeypatch.setattr(distinct, "RUN", 1_000)
    cells = counted(
        *[[f"K{n}" for n in range(start, start + 700)] for start in range(0, 7000, 700)]
    )
    assert cells.never_repeats
    cells.add(["K3"])
    assert cells.repeats() == 1


def test_the_first_repetition_ends_it_if_only_that_matters():
    cells = counted(["a"] * 500, gives_up=True)
    assert not cells.is_open
    cells.add(["b"])
    assert (cells.filled, cells.never_repeats) == (500, False)
    with pytest.raises(ValueError, match="not all"):
        cells.repeats()


def test_blank_cells_end_it_if_there_are_too_many():
    filled = [str(n) for n in range(500)]
    assert not counted(["", *filled], gives_up=True, most_blank=0).is_open
    assert counted(["", *filled], gives_up=True, most_blank=0.1).never_repeats
