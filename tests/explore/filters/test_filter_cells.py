"""Filters by cells, values, times and reasons, and that page, API and export read them alike."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from explore.filters import RecordQuery
from explore.filters.conditions import Condition
from explore.filters.operators import OPERATORS
from explore.filters.record_filter import RecordFilter
from records.models import ProcessingResult
from tests.landed import land, process_all, sale
from tests.markup import href, texts
from tests.people import viewer

pytestmark = pytest.mark.django_db


def found(query: str) -> list[str]:
    records = RecordQuery.parse(QueryDict(query))
    assert records.is_valid, records.errors
    return sorted(record.id.partition(":")[2] for record in records.queryset())


def said(query: str) -> str:
    records = RecordQuery.parse(QueryDict(query))
    assert not records.is_valid
    return " ".join(text for texts in records.errors.values() for text in texts)


def test_several_values_find_the_records_of_each():
    first = land("shop", {"1": sale(1), "2": {"id": "2"}})
    second = land("depot", {"3": sale(3)})
    land("farm", {"4": sale(4)})
    assert found("source=shop&source=depot") == ["1", "2", "3"]
    assert found(f"run={first.pk}&run={second.pk}") == ["1", "2", "3"]
    process_all()
    land("farm", {"5": sale(5)})
    assert found("status=failed&status=raw") == ["2", "5"]


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ("n:eq:5", ["five"]),
        ("n:eq:", ["blank", "missing", "null"]),
        ("n:ne:5", ["blank", "fifty", "float", "missing", "null", "space", "text"]),
        ("n:contains:5", ["fifty", "five", "float"]),
        ("n:contains:TEX", ["text"]),
        ("n:lt:5.5", ["five", "float"]),
        ("n:le:-2.25", ["float"]),
        ("n:gt:5", ["fifty"]),
        ("n:ge:5e0", ["fifty", "five"]),
        ("n:gt:m", ["text"]),
        ("n:empty", ["blank", "missing", "null", "space"]),
        ("n:filled", ["fifty", "five", "float", "text"]),
        ("none:empty", ["blank", "fifty", "five", "float", "missing", "null", "space", "text"]),
    ],
)
def test_conditions_on_a_cell(condition, keys):
    rows = {"five": "5", "fifty": " 50 ", "float": -2.25, "text": "text", "blank": ""}
    rows |= {"space": " \t", "null": None}
    land("shop", {key: {"n": cell} for key, cell in rows.items()} | {"missing": {"m": "x"}})
    assert found(f"where={condition}") == keys


@pytest.mark.parametrize(
    "name", ["2020", "a b", "a.b", "a'b", 'a"b', "a\\b", "$", "$.a", "[0]", "é", "a:b", "%s", "{}"]
)
def test_a_column_may_have_any_name(name):
    land("shop", {"1": {name: "x"}, "2": {name: "y"}})
    query = QueryDict(mutable=True)
    query["where"] = str(Condition(name, "eq", "x"))
    assert found(query.urlencode()) == ["1"]


def test_conditions_are_all_met():
    land("shop", {"1": {"a": "1", "b": "1"}, "2": {"a": "1", "b": "2"}})
    assert found("where=a:eq:1&where=b:gt:1") == ["2"]


def test_numbers_that_databases_can_not_hold_are_no_numbers():
    land(
        "shop", {"1": {"n": "9" * 500}, "2": {"n": "1e400"}, "3": {"n": "1e9999"}, "4": {"n": "7"}}
    )
    assert found("where=n:lt:10") == ["4"]
    assert "4" in found("where=n:gt:5")


@pytest.mark.parametrize("cell", [True, ["a", 1], {"a": None}])
def test_cells_that_are_no_text_are_their_json(cell):
    land("shop", {"1": {"n": cell}, "2": {"n": None}})
    assert found("where=n:filled") == ["1"]


def test_times_are_days_or_moments():
    for day in (1, 2, 3):
        land("shop", {str(day): sale(day)}, timestamp=datetime(2026, 3, day, 12, tzinfo=UTC))
    land("shop", {"none": sale(9)}, timestamp=None)
    assert found("time_from=2026-03-02") == ["2", "3"]
    assert found("time_to=2026-03-02") == ["1", "2"]
    assert found("time_from=2026-03-01T12:00Z&time_to=2026-03-02T12:00Z") == ["1"]
    assert found("time_to=2026-03-01T14:00:01%2B02:00") == ["1"]
    assert found("time_to=2026-03-01T14:00:01+02:00") == ["1"]
    assert found("time_from=2026-03-03T12:00") == ["3"]


def test_days_are_those_of_the_time_zone(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    land("shop", {"1": sale(1)}, timestamp=datetime(2026, 3, 1, 15, 30, tzinfo=UTC))
    assert found("time_from=2026-03-02&time_to=2026-03-02") == ["1"]


def test_what_is_asked_of_results_is_asked_of_one_current_result():
    land("shop", {"1": sale(1), "2": sale(2, category="Food"), "3": {"id": "3"},
                  "4": sale(4, value="bad")})  # fmt: skip
    process_all()
    assert found("category=toys") == ["1", "4"]
    assert found("category=toys&category=food&value_from=2") == ["2"]
    assert found("value_to=1.5") == ["1", "4"]
    assert found("result=category:eq:food") == ["2"]
    assert found("result=value:gt:2") == ["2"]
    assert found("rule=required") == ["3"]
    assert found("rule=number") == ["4"]
    assert found("reason=Data+validation+failed:+'value'+is+missing.") == ["3"]
    assert found("reason=another") == []


def test_anomalies_are_found():
    land("shop", {"1": sale(1), "2": sale(2), "3": {"id": "3"}})
    process_all()
    ProcessingResult.objects.filter(record_id="shop:2").update(anomaly="far off")
    assert found("anomaly=1") == ["2"]
    assert found("anomaly=0") == ["1"]
    assert "“anomaly” must be 0 or 1" in said("anomaly=yes")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("where=City", "Write a condition as column:operator:value"),
        ("where=:eq:x", "Write a condition as column:operator:value"),
        ("where=City:like:x", "There is no operator “like”. Choose one of eq, ne, contains,"),
        ("where=City:eq", "The operator “eq” needs a value."),
        ("where=City:gt:", "The operator “gt” needs a value."),
        ("where=n:gt:1e999", "1e999 is too large to compare cells with."),
        ("where=City:empty:x", "The operator “empty” takes no value."),
        ("where=a%00:eq:x", "Null characters are not allowed."),
        ("result=a", "Write a condition as column:operator:value"),
        ("time_from=03/01/2026", "Enter a date such as 2026-03-01"),
        ("time_to=9999-12-31", "Enter a date such as 2026-03-01"),
        ("time_to=2026-13-01", "Enter a date such as 2026-03-01"),
        ("value_from=nan", "Enter a number."),
        ("value_to=1e999", "Enter a number."),
        ("rule='", "A rule name may contain only letters"),
        ("sort=value", "There is no order “value”. Choose one of id, -id, -timestamp, timestamp."),
        ("&".join(f"status=raw&category={n}" for n in range(51)), "Give at most 50 values."),
        ("status=raw&status=done", "There is no status “done”."),
    ],
)
def test_what_means_nothing_is_said_in_a_sentence(query, sentence):
    assert sentence in said(query)


@given(
    column=st.text(min_size=1), operator=st.sampled_from(list(OPERATORS)), value=st.text(min_size=1)
)
def test_a_condition_is_read_as_it_was_written(column, operator, value):
    if choices := OPERATORS[operator].choices:
        value = choices[len(value) % len(choices)]
    condition = Condition(column, operator, value if OPERATORS[operator].takes_value else "")
    assert Condition.parse(str(condition)) == condition


# --- page, API and export ------------------------------------------------------------------------

CELLS = ["", "5", "-1", "Paris", "paris", "12.50", "a:b", "é", " "]
COLUMNS = st.sampled_from(["city", "n:o", "none"])
COMPARED = st.sampled_from(["5", "Pa", "é", "-3"])
CONDITIONS = st.one_of(
    st.builds(Condition, COLUMNS, st.just("eq"), st.sampled_from(CELLS)),
    st.builds(
        Condition, COLUMNS, st.sampled_from(["ne", "contains", "lt", "le", "gt", "ge"]), COMPARED
    ),
    st.builds(Condition, COLUMNS, st.sampled_from(["empty", "filled"])),
)
PARAMETERS = st.one_of(
    st.tuples(st.just("source"), st.sampled_from(["shop", "depot", "none"])),
    st.tuples(st.just("status"), st.sampled_from(["raw", "processed", "failed"])),
    st.tuples(st.just("q"), st.sampled_from(["paris", "É", "1", "zzz"])),
    st.tuples(st.just("time_from"), st.sampled_from(["2026-03-02", "2026-03-01T13:00Z"])),
    st.tuples(st.just("time_to"), st.sampled_from(["2026-03-02", "2026-03-03T00:00Z"])),
    st.tuples(st.just("value_from"), st.sampled_from(["3", "7.5"])),
    st.tuples(st.just("value_to"), st.sampled_from(["9", "20.5"])),
    st.tuples(st.just("category"), st.sampled_from(["toys", "food"])),
    st.tuples(st.just("rule"), st.sampled_from(["required", "number"])),
    st.tuples(st.just("where"), CONDITIONS.map(str)),
    st.tuples(st.just("result"), CONDITIONS.map(str)),
)
FILTERS = st.tuples(
    st.lists(PARAMETERS, max_size=4), st.sampled_from(["", "id", "-id", "timestamp", "-timestamp"])
)


@pytest.fixture
def api() -> APIClient:
    """A client in an installation with records of every kind."""
    for source in ("shop", "depot"):
        for day in range(1, 5):
            rows = {
                f"{day}{n}": sale(
                    n + day, city=CELLS[(n * day) % 9], **{"n:o": CELLS[(n + day) % 9]}
                )
                for n in range(16)
            }
            rows |= {f"{day}bad": sale(1, value="bad"), f"{day}none": {"id": "x", "city": "5"}}
            rows[f"{day}1"]["category"] = "Food"
            moment = datetime(2026, 3, day, 12, tzinfo=UTC) if day < 4 else None
            land(source, rows, timestamp=moment)
        if source == "shop":
            process_all()
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def ids_of_page(api: APIClient, query: str) -> list[str]:
    ids, url = [], f"/explore/?{query}"
    while url:
        page = api.get(url).content.decode()
        ids += texts(page, "th.key a")
        following = href(page, 'a[rel="next"]')
        url = f"/explore/{following}" if following else ""
    return ids


def ids_of_api(api: APIClient, query: str) -> list[str]:
    ids, url = [], f"/api/records?limit=50&{query}"
    while url:
        answer = api.get(url).json()
        ids += [record["id"] for record in answer["records"]]
        url = answer["next"]
    return ids


def ids_of_export(api: APIClient, query: str) -> list[str]:
    content = b"".join(api.get(f"/api/export?{query}")).decode()
    return [row[0] for row in list(csv.reader(io.StringIO(content, newline="")))[1:]]


@settings(max_examples=50)
@given(chosen=FILTERS)
def test_page_api_and_export_give_the_same_ids_for_any_filter(api, chosen):
    parameters, sort = chosen
    # Of the parameters that may be given once only, the last counts on every way.
    single = {name: (name, value) for name, value in parameters}
    many = [pair for pair in parameters if pair[0] in RecordFilter.repeatable()]
    query = QueryDict(mutable=True)
    for name, value in [*many, *(p for p in single.values() if p[0] not in dict(many))]:
        query.appendlist(name, value)
    if sort:
        query["sort"] = sort
    expected = ids_of_api(api, query.urlencode())
    assert ids_of_page(api, query.urlencode()) == expected
    assert ids_of_export(api, query.urlencode()) == expected
