"""The key of an input: a column that is filled and never repeats in any of its rows."""

import random
from uuid import UUID

import pytest

from ingestion.parsing.key_evidence import Evidence, evidence
from ingestion.parsing.key_names import KeyName, key_name
from ingestion.parsing.preparation import SAMPLE_ROWS, prepare

REPEATS = "is not used as the ID column, because it repeats"
DICE = random.Random(5)  # noqa: S311 (test data)


def found(tmp_path, text, name="rows.csv", **named):
    path = tmp_path / name
    path.write_text(text)
    prepared = prepare(path, name, reading={}, named=named, remembered={})
    told = [note for note in prepared.notes if "ID column" in note]
    return prepared.mapping["id"], told


def table(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


def test_an_id_that_repeats_is_no_key_and_a_note_says_so(tmp_path):
    key, notes = found(tmp_path, table("id,item", [(1, "pen"), (1, "ink"), (2, "cup"), (2, "mug")]))
    assert key == []
    assert notes[0] == f"'id' {REPEATS}: rows with the 'id' of an earlier row: 2."
    assert notes[1].startswith("No ID column")


def test_a_repetition_at_the_very_end_of_a_long_input_counts(tmp_path):
    rows = [(f"A{n}", n / 3) for n in range(5 * SAMPLE_ROWS)]
    assert found(tmp_path, table("id,value", rows))[0] == ["id"]
    key, notes = found(tmp_path, table("id,value", [*rows, ("A0", 1)]))
    assert (key, len(notes)) == ([], 2)


@pytest.mark.parametrize(
    "header", ["customer_id,order_no", "Kundennr,Bestellnummer", "客户编号,订单号"]
)
def test_the_key_of_something_else_is_not_preferred_to_a_unique_one(tmp_path, header):
    rows = [(f"C{DICE.randrange(300):05}", 700_000 + 7 * n, n / 2) for n in range(2000)]
    assert found(tmp_path, table(f"{header},sum", rows))[0] == [header.split(",")[1]]
    few = [("C1", 5001, 2.5), ("C2", 5002, 3.5), ("C3", 5003, 7.5)]
    assert found(tmp_path, table(f"{header},sum", few))[0] == [header.split(",")[1]]


def test_the_key_of_something_else_that_happens_not_to_repeat_is_no_key(tmp_path):
    rows = [(f"2025-01-{n:02}", f"C{n * 37 % 1000:04}", n / 2) for n in range(1, 29)]
    assert found(tmp_path, table("date,customer_id,amount", rows))[0] == []


def test_the_name_of_the_file_tells_whose_key_it_is(tmp_path):
    text = table("customer_id,date", [(17, "2025-01-02"), (4, "2025-01-03"), (99, "2025-02-01")])
    assert found(tmp_path, text, "customers.csv")[0] == ["customer_id"]
    assert found(tmp_path, text, "Customers 2025.csv")[0] == ["customer_id"]
    assert found(tmp_path, text, "customer_orders.csv")[0] == []


@pytest.mark.parametrize(
    "cells",
    [
        [f"SO-{n:06}" for n in range(50)],
        [f"V{n * 7919 % 100_000:05}" for n in range(50)],
        [str(UUID(int=DICE.getrandbits(128))) for _ in range(50)],
        [str(10_482 + n) for n in range(50)],
        [str(990_000 - n) for n in range(50)],
    ],
)
def test_a_key_is_found_by_what_it_holds_whatever_it_is_called(tmp_path, cells):
    rows = [(cell, DICE.choice("xyz"), n % 7 + 0.5) for n, cell in enumerate(cells)]
    assert found(tmp_path, table("Vorgang,Art,Summe", rows))[0] == ["Vorgang"]


@pytest.mark.parametrize(
    "cells",
    [
        [f"{n * 7.31 % 40:.2f}" for n in range(50)],
        [f"2025-01-{1 + n // 24:02} {n % 24:02}:00" for n in range(50)],
        [f"{n % 24:02}:{n:02}" for n in range(50)],
        [str(1_735_689_600 + 3600 * n) for n in range(50)],
        [str(20250101 + n) for n in range(30)],
        [str(1961 + n) for n in range(50)],
        [str(n) for n in range(1, 51)],
        [str((n * 7919) % 20_000) for n in range(50)],
        [f"The {n}th of many remarks" for n in range(50)],
        [f"user{n}@example.com" for n in range(50)],
        [f"{n * 13 % 500}kg" for n in range(50)],
        [f"{n}%" for n in range(50)],
        [f"10.0.{n}.1" for n in range(50)],
        [f"+43 1 55{n:05}" for n in range(50)],
    ],
)
def test_what_only_happens_not_to_repeat_is_no_key(tmp_path, cells):
    rows = [(cell, DICE.choice("xyz")) for cell in cells]
    assert found(tmp_path, table("Angabe,Art", rows))[0] == []


def test_a_single_row_leaves_it_to_the_names(tmp_path):
    assert found(tmp_path, table("order_no,city,n", [(7, "Rome", 5)]))[0] == ["order_no"]
    assert found(tmp_path, table("city,n", [("Rome", 5)]))[0] == []


def test_the_value_by_its_name_is_no_key_by_its_cells(tmp_path):
    assert found(tmp_path, table("place,sales", [("x", 900 + n) for n in range(40)]))[0] == []


def test_a_key_with_a_few_blank_cells_is_one_and_their_rows_are_told(tmp_path):
    rows = [(f"O{n}" if n % 40 else "", n / 2) for n in range(200)]
    key, notes = found(tmp_path, table("order_id,amount", rows))
    assert key == ["order_id"]
    assert notes == ["Rows without a value in 'order_id', the ID column: 5. They are rejected."]
    rows = [(f"O{n}" if n % 4 else "", n / 2) for n in range(200)]
    assert found(tmp_path, table("order_id,amount", rows))[0] == []


def test_a_column_called_id_may_be_blank_in_every_other_row(tmp_path):
    rows = [("a", 55), ("a", ""), ("b", 66), ("c", 77), ("c", "")]
    assert found(tmp_path, table("Name,Id", rows))[0] == ["Id"]
    assert found(tmp_path, table("Name,Id", [*rows, ("c", ""), ("d", "")]))[0] == []


def test_a_column_with_another_role_is_not_proposed(tmp_path):
    rows = [(n + 5000, n + 7000) for n in range(50)]
    key, _ = found(tmp_path, table("order_no,ticket_no", rows), category=["order_no"])
    assert key == ["ticket_no"]


def test_the_key_of_a_source_is_not_looked_for_again(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(table("id,item", [(1, "pen"), (2, "ink")]))
    known = {"id": ["item"], "timestamp": [], "value": [], "category": []}
    assert prepare(path, "rows.csv", reading={}, named={}, remembered=known).mapping["id"] == [
        "item"
    ]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("ID", KeyName.KEY),
        ("_id", KeyName.KEY),
        ("order_id", KeyName.LIKE_A_KEY),
        ("orderId", KeyName.LIKE_A_KEY),
        ("Order No.", KeyName.LIKE_A_KEY),
        ("Numéro de commande", KeyName.LIKE_A_KEY),
        ("Belegnummer", KeyName.LIKE_A_KEY),
        ("注文番号", KeyName.LIKE_A_KEY),
        ("stop_id", KeyName.OF_OTHERS),
        ("customerid", KeyName.OF_OTHERS),
        ("Kundennummer", KeyName.OF_OTHERS),
        ("Telefonnr", KeyName.OF_OTHERS),
        ("No.", KeyName.NUMBER),
        ("paid", KeyName.SILENT),
        ("idea", KeyName.SILENT),
        ("", KeyName.SILENT),
    ],
)
def test_names_of_keys(column, name):
    assert key_name(column) == name


def test_numbers_without_a_chance_to_repeat_are_no_evidence():
    assert evidence(["17", "5", "900"]) == Evidence.POSSIBLE
    assert evidence([str(n) for n in DICE.sample(range(60), 50)]) == Evidence.LIKELY
