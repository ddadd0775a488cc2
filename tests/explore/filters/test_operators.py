"""The table of operators: every list of them is made of it."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from docs import reference_pages
from explore.filters import RecordQuery
from explore.filters.conditions import Condition
from explore.filters.operators import OPERATORS, documented
from explore.filters.record_filter import RecordFilter
from tests.landed import land

# 1 March 2026 is a Sunday.
CELLS = ["5", "40", "", " ", "x", "X5", "é", "2026-03-01", "1e400"]
# What each operator finds of a value among the cells.
FOUND = {
    ("eq", "5"): {"5"},
    ("ne", "5"): {"40", "", " ", "x", "X5", "é", "2026-03-01", "1e400"},
    ("contains", "X"): {"x", "X5"},
    ("lt", "40"): {"5"},
    ("le", "40"): {"5", "40"},
    ("gt", "5"): {"40", "1e400"},
    ("ge", "5"): {"5", "40", "1e400"},
    ("gt", "f"): {"x", "é"},
    ("empty", ""): {"", " "},
    ("filled", ""): {"5", "40", "x", "X5", "é", "2026-03-01", "1e400"},
    ("number", ""): {"5", "40"},
    ("nonumber", ""): {"", " ", "x", "X5", "é", "2026-03-01", "1e400"},
    ("date", ""): {"2026-03-01"},
    ("nodate", ""): {"5", "40", "", " ", "x", "X5", "é", "1e400"},
    ("weekday", "7"): {"2026-03-01"},
}


def test_every_operator_is_under_its_key():
    assert all(key == operator.key for key, operator in OPERATORS.items())
    assert all(re.fullmatch("[a-z]+", key) for key in OPERATORS)
    words = [operator.words for operator in OPERATORS.values()]
    assert len(set(words)) == len(words)


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "value"), FOUND)
def test_an_operator_finds_cells(key, value):
    land("shop", {str(n): {"n": cell} for n, cell in enumerate(CELLS)})
    condition = Condition("n", key, value)
    query = RecordQuery.parse(QueryDict(mutable=True)).with_("where", str(condition))
    assert {record.data["n"] for record in query.queryset()} == FOUND[key, value]


def test_every_operator_is_tried():
    assert {key for key, _ in FOUND} == set(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
def test_a_condition_has_a_value_if_its_operator_takes_one(operator):
    with_value, without, blank = f"n:{operator.key}:5", f"n:{operator.key}", f"n:{operator.key}:"
    good = with_value if operator.takes_value else without
    assert str(Condition.parse(good)) == good
    with pytest.raises(ValidationError):
        Condition.parse(without if operator.takes_value else with_value)
    if operator.takes_blank:
        assert str(Condition.parse(blank)) == blank
    else:
        with pytest.raises(ValidationError):
            Condition.parse(blank)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
def test_a_text_that_narrows_stands_in_what_is_found(operator):
    for (key, value), cells in FOUND.items():
        if key == operator.key and operator.texts:
            texts = {text.lower() for text in operator.texts(value)}
            assert all(any(text in cell.lower() for text in texts) for cell in cells)


def test_an_operator_that_there_is_not_is_answered_with_all():
    with pytest.raises(ValidationError, match=", ".join(OPERATORS)):
        Condition.parse("n:like:5")
    # A form may send one; it is refused where it is read.
    assert str(Condition("n", "like", "5")) == "n:like:5"


def test_the_reference_of_filters_lists_every_operator():
    assert documented() in reference_pages.filters_page()


@pytest.mark.django_db
def test_form_schema_and_command_list_every_operator(admin_client):
    land("shop", {"1": {"n": "5"}})
    page = admin_client.get("/explore/").content.decode()
    described = RecordFilter.base_filters["where"].extra["help_text"]
    assert documented() in described
    for operator in OPERATORS.values():
        assert f'<option value="{operator.key}">{operator.words}</option>' in page
        assert re.search(rf"\b{operator.key}\b", documented())
