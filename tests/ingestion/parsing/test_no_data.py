"""Rows of a text that are no data: each is set aside with a code of its own, and told."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from ingestion.parsing.detection import aside, detect
from ingestion.parsing.readers import open_reader


class Seen(NamedTuple):
    columns: list[str]
    rows: list[list[str]]
    aside: list[tuple[int, str]]
    notes: list[str]

    @property
    def codes(self) -> Counter[str]:
        return Counter(code for _, code in self.aside)


@pytest.fixture
def see(tmp_path):
    def read(*lines: str, end: str = "\n", **reading: str) -> Seen:
        path: Path = tmp_path / "input.csv"
        path.write_bytes(end.join([*lines, ""]).encode())
        found = detect(path, path.name, reading=reading)
        rows, refused = [], []
        with open_reader(
            path,
            name=path.name,
            encoding=found.encoding,
            dialect=found.dialect,
            digest=found.digest,
        ) as reader:
            for chunk in reader.chunks(3):
                rows += [list(row.values()) for row in chunk.rows]
                refused += [(row.line, row.code) for row in chunk.rejects]
        return Seen(reader.columns, rows, sorted(refused), [*found.notes, *reader.notes])

    return read


def test_a_header_that_is_repeated_in_the_middle(see):
    seen = see("no;day;sum", "1;2025-02-01;7", "no;day;sum", "2;2025-02-02;8", '"no";day;"sum"')
    assert [row[0] for row in seen.rows] == ["1", "2"]
    assert seen.aside == [(3, "repeated_header"), (5, "repeated_header")]
    assert any("2 repeated headers (the first in line 3)" in note for note in seen.notes)


@pytest.mark.parametrize(
    "units",
    ["h,m/s,kg", "[h],[m/s],[kg]", "(hours),(km/h),(t)", ",°C,%", "TIME,KNOTS,LBS"],
)
def test_units_below_the_header(see, units):
    rows = [f"2025-03-{day:02},{day}.5,{day * 7}" for day in range(1, 6)]
    seen = see("when,speed,load", units, *rows)
    assert len(seen.rows) == 5
    assert seen.aside == [(2, "units")]


@pytest.mark.parametrize(
    "first",
    ["2025-03-01,n/a,null", "2025-03-01,?,3", "2025-03-01,,", "2025-03-01,error,3"],
)
def test_a_first_row_with_missing_numbers_is_data(see, first):
    rows = [f"2025-03-{day:02},{day}.5,{day * 7}" for day in range(2, 7)]
    assert len(see("when,speed,load", first, *rows).rows) == 6


def test_questions_and_import_ids_of_a_survey(see):
    seen = see(
        "Started,Code,Q1,Q2",
        '"Start","Response","How often, and',
        'why?","Your age"',
        '"{""ImportId"":""a""}","{""ImportId"":""b""}","{""ImportId"":""c""}","{""ImportId"":""d""}"',
        "2025-05-01 10:00,R_1,often,31",
        "2025-05-01 11:00,R_2,seldom,44",
    )
    assert [row[1] for row in seen.rows] == ["R_1", "R_2"]
    assert seen.aside == [(2, "question"), (4, "question")]


@pytest.mark.parametrize(
    ("subtotal", "total"),
    [
        ("Sum of East", "Grand total"),
        ("Zwischensumme", "Summe"),
        ("Итого Восток", "Всего"),
        ("小计", "合计"),
    ],
)
def test_subtotals_and_a_total_that_are_sums(see, subtotal, total):
    seen = see(
        "area;item;pieces;price",
        "East;pen;3;10,50",
        "East;ink;4;20,25",
        f"{subtotal};;7;30,75",
        "West;pen;1;1.005,00",
        "West;cup;2;5,00",
        f"{subtotal};;3;1.010,00",
        f"{total};;10;1.040,75",
    )
    assert len(seen.rows) == 4
    assert seen.aside == [(4, "total"), (7, "total"), (8, "total")]


def test_a_total_in_a_column_of_dates(see):
    rows = [f"2025-01-{day:02},{day}" for day in range(1, 9)]
    seen = see("day,visits", *rows, "Total,99")
    assert len(seen.rows) == 8
    assert seen.aside == [(10, "total")]


@pytest.mark.parametrize(
    "rows",
    [
        ("1,Total Cereal,5", "2,Sum Sim,7", "3,Summa,8"),
        ("1,Total,5", "2,Other,7", "3,More,8"),
        ("1,all,5", "2,some,7", "3,total,80"),
        ("1,Total care,5", ",Total care,7", "3,other,8", "4,Total care,"),
        ("1,sum of parts,", "2,a total loss,7", ",other,8", "4,,9"),
    ],
)
def test_data_that_contains_the_word_stays_data(see, rows):
    assert len(see("id,name,n", *rows).rows) == len(rows)


def test_comments_within_and_above(see):
    seen = see(
        "# made on Monday",
        "id,name,n",
        "1,a,2",
        "# a break",
        "2,b,3",
        "// another one,,",
        "3,c,4",
    )
    assert [row[0] for row in seen.rows] == ["1", "2", "3"]
    assert seen.codes == {"comment": 2}


def test_cells_that_begin_like_comments_are_data(see):
    seen = see("tag,name,n", "#1,a,2", "#2,b,3", "#3,,")
    assert len(seen.rows) == 3
    assert len(see("name,tag,n", "a,x,2", "#5,,", "b,y,3").rows) == 3


@pytest.mark.parametrize(
    "footer",
    [
        ("", "Source: a survey"),
        ("", "2 rows selected", "Done."),
        ("Printed by hand on Friday",),
        ("", "Made by x, with care"),
    ],
)
def test_texts_below_the_table(see, footer):
    seen = see("day,place,n", "2025-01-02,Rome,5", "2025-01-03,Oslo,6", *footer)
    assert len(seen.rows) == 2
    assert len(seen.aside) == len([line for line in footer if line])


def test_a_balance_below_bookings(see):
    rows = [f"{day:02}.06.2025;Shop {day};ref {day};-{day},50" for day in range(1, 7)]
    seen = see("Date;Payee;Reference;Amount", *rows, "Balance;;;1.000,00")
    assert len(seen.rows) == 6
    assert seen.aside == [(8, "footer")]


def test_a_last_row_that_was_cut_short_is_no_footer(see):
    seen = see("id,place,n", "a1,Rome,5", "a2,Oslo,6", "a3")
    assert seen.aside == [(4, "too_few_cells")]


def test_of_several_tables_the_first_is_read_and_another_can_be_chosen(see):
    lines = (
        "day,visits,users", "2025-01-01,5,3", "2025-01-02,6,4", "2025-01-03,7,5", "",
        "# by country", "country,users", "Chad,4", "Peru,5", "Fiji,6",
    )  # fmt: skip
    seen = see(*lines)
    assert (seen.columns, len(seen.rows)) == (["day", "visits", "users"], 3)
    assert seen.codes == {"other_table": 4, "comment": 1}
    assert any("begins in line 7" in note for note in seen.notes)
    chosen = see(*lines, header="7")
    assert (chosen.columns, len(chosen.rows)) == (["country", "users"], 3)


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (("| id | name |", "|----|:----:|", "| 1 | Ann |", "| 2 | Bob |"), ["id", "name"]),
        (
            ("+----+------+", "| id | name |", "+----+------+", "|  1 | Ann  |", "|  2 | Bob  |"),
            ["id", "name"],
        ),
        ((" id | name ", "----+------", "  1 | Ann  ", "  2 | Bob  ", "(2 rows)"), ["id", "name"]),
    ],
)
def test_tables_that_are_drawn_by_characters(see, lines, columns):
    seen = see(*lines)
    assert (seen.columns, seen.rows) == (columns, [["1", "Ann"], ["2", "Bob"]])


def test_rows_that_lack_blank_cells_at_their_end_are_filled_and_counted(see):
    seen = see("id,name,yes,no", "1,Ann", "2,Bob,x", "3,Cid", "4,Dee,x,y")
    assert seen.rows[0] == ["1", "Ann", "", ""]
    assert (len(seen.rows), seen.aside) == (4, [])
    assert any("got blank ones: 3" in note for note in seen.notes)


@pytest.mark.parametrize(
    "rows",
    [
        # Other rows have blank cells at their end, so cells were lost.
        ("1,Ann,,", "2,Bob", "3,Cid,x,", "4,Dee"),
        # What is there does not fit its columns.
        ("1,Ann,5,6", "Bob,2", "3,Cid,7,8", "Dee,4"),
    ],
)
def test_rows_that_lost_other_cells_are_refused(see, rows):
    assert see("id,name,yes,no", *rows).codes == {"too_few_cells": 2}


def test_what_is_told_of_a_large_text_is_told_from_all_of_it(see, monkeypatch):
    monkeypatch.setattr(aside, "SMALL_BYTES", 0)
    rows = [f"2025-01-01,{n},{n}" for n in range(1000)]
    seen = see("day,a,b", *rows, "Total,499500,499500", *rows, "Total,499500,499500")
    assert seen.codes == {"total": 2}
    assert len(seen.rows) == 2000


def test_a_large_text_is_not_read_for_words_that_stand_among_its_numbers_from_the_beginning(
    see, monkeypatch
):
    monkeypatch.setattr(aside, "SMALL_BYTES", 0)
    monkeypatch.setattr(aside, "Pass", lambda *args, **options: pytest.fail("It was read."))
    rows = [f"2025-01-01,{n if n % 50 else 'bad'},{n}" for n in range(1000)]
    assert len(see("day,a,b", *rows, "2025-01-02,bad,7").rows) == 1001
    with pytest.raises(pytest.fail.Exception):
        see("day,a,b", *rows, "2025-01-02,odd,7")
