"""How the numbers of a column are written is told from all of its cells."""

import pytest

from records.number_decision import FORMATS
from records.number_styles import NumberColumn, Numbers
from records.number_text import Style, reader


def seen(cells, *, size=7, always=True, **given) -> Numbers:
    """What is found in cells that come in chunks, from line 2 on."""
    column = NumberColumn(always=always)
    for start in range(0, len(cells), size):
        part = cells[start : start + size]
        column.add(part, range(start + 2, start + 2 + len(part)))
    return column.found(**given)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,234.50", "25", "-3.00"], [1234.5, 25, -3]),
        (["-1.234,56", "4,80", "850"], [-1234.56, 4.8, 850]),
        (["1\u2019234.50", "-3\u2019500.25", "7.00"], [1234.5, -3500.25, 7]),
        (["1\u00a0234,50", "7,00"], [1234.5, 7]),
        (["1\u202f234,50", "7,00"], [1234.5, 7]),
        (["1\u2009234,50", "7,00"], [1234.5, 7]),
        (["\u2212100,00", "\u22121 250,00"], [-100, -1250]),
        (["1,23,456.78", "-5,00,000.00", "999.00"], [123456.78, -500000, 999]),
        (["1.234,56-", "99,00-", "12.500,00"], [-1234.56, -99, 12500]),
        (["(987.65)", "($1,200.00)", "1,234.56", "$ (12.00)"], [-987.65, -1200, 1234.56, -12]),
        (["$1,234.56", "-$8.10", "$-3.00", "US$ 1,000"], [1234.56, -8.1, -3, 1000]),
        (["12,5 %", "12,5%", "-3,25 %", "0%"], [0.125, 0.125, -0.0325, 0]),
        (["1,234.56 CR", "500.00 DR", "2,000.00Cr"], [1234.56, -500, 2000]),
        (["1.234,56 S", "5,00 H"], [-1234.56, 5]),
        (["\uff11\uff12\uff13", "\uff11.\uff15"], [123, 1.5]),
        (["1 234,50 K\u010d", "7,00 K\u010d"], [1234.5, 7]),
        (["EUR 1.234,56", "5,00 \u20ac"], [1234.56, 5]),
        (["+1,200.50", "+5"], [1200.5, 5]),
        (["21,5 \u00b0C", "-3 \u00b0C"], [21.5, -3]),
        (["1e5", "2.5E-3", " 7 "], [100000, 0.0025, 7]),
    ],
)
def test_a_column_tells_how_its_numbers_are_written(cells, numbers):
    found = seen(cells)
    assert (found.unread, found.doubt) == (0, None)
    assert [reader(found.style)(cell) for cell in cells] == numbers


def test_one_group_of_three_digits_in_all_rows_is_in_doubt():
    doubt = seen(["1,234", "5,678", ""]).doubt
    assert doubt
    assert doubt.text == "1,234"
    assert doubt.readings == [("1234,56", "1.234"), ("1,234.56", "1234")]


def test_the_rest_of_the_column_settles_it_wherever_it_stands():
    cells = ["1,234"] * 500
    assert seen(cells).doubt
    assert seen([*cells, "12.5"]).style == Style(thousands=",")
    assert seen([*cells, "1,234,567"]).style == Style(thousands=",")
    assert seen([*cells, "0,512"]).style == Style(",")
    assert seen(["1,234", "12,5"]).style == Style(",")


def test_one_odd_cell_does_not_prove_what_all_others_contradict():
    assert seen([*["1,234"] * 500, "12,5"]).doubt


def test_what_is_likely_but_not_proven_is_told():
    (note,) = seen(["1,234", "999", "12"]).notes
    assert note == "'1,234' is read as 1234: no number without a comma is 1000 or more."
    found = seen(["1.234", "5.678"])
    assert found.style == Style()
    assert "is read as 1.234, with a decimal point. If it means 1234" in found.notes[0]


def test_money_with_three_digits_behind_a_point_is_in_doubt():
    assert seen(["10.000 \u20ac", "5.000 \u20ac"]).doubt


def test_the_numbers_of_other_columns_settle_a_doubt_and_that_is_told():
    found = seen(["1,234", "5,678"], decimal=".")
    assert (found.style, found.doubt) == (Style(thousands=","), None)
    assert found.notes == ("'1,234' is read as 1234, like the numbers of other columns.",)


def test_a_style_that_is_known_stays_and_takes_on_what_it_lacks():
    found = seen(["1,234", "5,678"], known=Style(thousands=","))
    assert (found.style, found.doubt) == (Style(thousands=","), None)
    assert seen(["1.234,50"], known=Style(",")).style == Style(",", ".")
    found = seen(["1,234.50", "2.00"], known=Style(",", "."))
    assert (found.style, found.unread) == (Style(",", "."), 2)


def test_a_style_that_is_not_sure_takes_on_only_what_leaves_no_doubt():
    assert seen(["1,234.50", "2.00"], known=Style(), is_sure=False).style == Style(thousands=",")
    found = seen(["1,234", "5,678"], known=Style(), is_sure=False)
    assert (found.style, found.unread) == (Style(), 2)


def test_cells_that_can_not_be_read_are_counted_with_the_first_of_them():
    found = seen(["1,5", "n/a", "", " ", "2,5", "n/a", "?", "-"])
    assert (found.filled, found.unread, found.read) == (6, 4, 2)
    assert found.examples == ((3, "n/a"), (8, "?"), (9, "-"))


def test_currencies_are_never_mixed():
    found = seen(["\u20ac 5", "$ 6", "\u20ac7"])
    assert (found.style.currency, found.unread) == (("\u20ac",), 1)
    assert "Numbers with $ are not read" in found.notes[0]


@pytest.mark.parametrize(
    "cells",
    [
        ["Room 12", "Room 13"],
        ["2024-01-15"],
        ["10:30"],
        ["192.168.1.1"],
        ["12 Jan", "13 Feb"],
        ["+43 660 1234"],
        ["1-2"],
        ["--5", "5--"],
        ["(5", "5)"],
        ["5 DR CR"],
        ["<5"],
        ["1_000"],
    ],
)
def test_what_is_no_number_is_not_read(cells):
    found = seen(cells)
    assert found.unread == found.filled == len(cells)


def test_numbers_that_begin_with_zeros_are_codes():
    assert seen(["00501", "10001"]).is_code
    assert not seen(["0", "0.5", "10"]).is_code


def test_a_column_of_texts_is_soon_no_longer_followed():
    column = NumberColumn()
    column.add([f"text {number}" for number in range(3_000)], range(3_000))
    assert not column.is_open
    assert column.found() == Numbers()


def test_memory_stays_flat_whatever_the_cells_are():
    column = NumberColumn(always=True)
    for start in range(0, 20_000, 1_000):
        cells = [f"{number:b}".replace("1", "a") for number in range(start, start + 1_000)]
        column.add(cells, range(start, start + 1_000))
    assert len(column._shapes) <= 5_001
    assert column.found().filled == 20_000


def test_cells_with_line_ends_are_one_cell_each():
    found = seen(["1\n2", "3"])
    assert (found.filled, found.unread, found.examples) == (2, 1, ((2, "1\n2"),))


def test_each_format_is_written_as_it_reads():
    for text, style in FORMATS.items():
        assert reader(style)(text) in (1234.56, 1234567.89)
