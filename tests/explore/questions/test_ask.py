"""`manage.py ask` answers in a table or as JSON lines."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.landed import land

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    rows = [("North", "0.1"), ("South", "5"), ("North", "0.2"), ("", "n/a")]
    for month, (region, total) in enumerate(rows, 1):
        row = {"id": str(month), "Region": region, "Total": total}
        land("shop", {str(month): row}, timestamp=datetime(2026, month, 3, tzinfo=UTC))


def asked(*arguments: str) -> str:
    out = StringIO()
    call_command("ask", *arguments, stdout=out)
    return out.getvalue()


def lines(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in asked(*arguments, "--json").splitlines()]


def test_each_group_is_a_line(shop):
    assert lines("--source", "shop", "--measure", "sum:Total", "--by", "Region") == [
        {"by": ["South"], "measures": [5.0], "records": 1},
        {"by": ["North"], "measures": [0.3], "records": 2},
        {"by": [""], "measures": [None], "records": 1},
    ]


def test_two_groups_of_what_a_filter_finds(shop):
    found = lines("--where", "Region:filled", "--measure=share", "--by=month", "--by=Region")
    assert [line["by"] for line in found] == [
        ["2026-01", "North"],
        ["2026-02", "South"],
        ["2026-03", "North"],
    ]
    assert {line["measures"][0] for line in found} == {1 / 3}


def test_the_others_are_put_together(shop):
    found = lines("--measure", "sum:Total", "--by", "Region", "--top", "1")
    assert [(line["by"], line["records"]) for line in found] == [(["South"], 1), (["(others)"], 3)]


def test_the_table_tells_what_was_left_out(shop):
    text = asked("--measure", "sum:Total", "--by", "Region")
    assert text.splitlines()[:3] == [
        "Region   Sum of Total  Records",
        "South               5        1",
        "North             0.3        2",
    ]
    assert "1 cell of “Total” is not a number and is left out." in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--measure", "sum:Totl"], "shop has no column “Totl”. Did you mean “Total”?"),
        (["--by", "Rgion"], "--by: shop has no column “Rgion”. Did you mean “Region”?"),
        (["--measure", "sum"], "--measure: “sum” needs a column"),
        (["--top", "x"], "--top: Must be a whole number from 1 to 40."),
    ],
)
def test_wrong_usage_is_said(shop, arguments, sentence):
    with pytest.raises(CommandError) as error:
        asked("--source", "shop", *arguments)
    assert sentence in str(error.value)
    assert error.value.returncode == 2
