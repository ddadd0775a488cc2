"""The value column is proposed by what columns hold; names break ties, in any language."""

import pytest

from ingestion.parsing.mapping import plain_name
from ingestion.parsing.number_format import ValueCells
from ingestion.parsing.value_column import propose_value


def proposed(**columns: list[str]) -> list[str]:
    names = [name.replace("_", " ") for name in columns]
    cells = dict(zip(names, columns.values(), strict=True))
    return propose_value(names, {name: plain_name(name) for name in names}, cells)


MONEY = ["1.50", "20.00", "-3.25"]
WHOLE = ["3", "1", "2"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Text": ["a", "b"], "Betrag_(EUR)": ["-1.234,56", "4,80"]}, "Betrag (EUR)"),
        ({"Gross": MONEY, "Fee": MONEY, "Net": MONEY}, "Gross"),
        ({"quantity": WHOLE, "product_sales": MONEY, "total": MONEY}, "total"),
        ({"lat": ["48.2", "47.1", "46.9"], "value": WHOLE}, "value"),
        ({"zip": ["00501", "10001", "94105"]}, ""),
        ({"phone": ["1234567", "7654321", "5555555"]}, ""),
        ({"order_id": WHOLE, "stop": WHOLE}, ""),
        ({"balance": MONEY, "amount": MONEY}, "amount"),
        ({"x": MONEY, "y": WHOLE}, "x"),
        ({"margin": ["12.5%", "3%", "1%"], "sold": ["$5", "$6.50", "$7"]}, "sold"),
        ({"note": ["a", "b", "c"]}, ""),
    ],
)
def test_the_column_of_values_is_found(columns, expected):
    assert proposed(**columns) == ([expected] if expected else [])


def test_a_nul_in_a_value_is_kept_as_what_databases_can_store():
    cells = ValueCells("value", 2, 1, ((2, "1\0"),))
    assert cells.as_json()["examples"] == [[2, "1\ufffd"]]
    assert "'1\\x00' in line 2" in cells.sentence()
