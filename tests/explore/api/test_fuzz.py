"""Whatever a client asks, it gets an answer and never an internal error."""

import string

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ingestion.api.bodies import KINDS
from tests.landed import land, process_all, sale

NAMES = ["source", "status", "q", "run", "limit", "cursor", "format", "state", "where", "result",
         "time_from", "time_to", "value_from", "category", "reason", "rule", "sort", "column",
         "result_column", "dated", "weekday", "measure", "by", "top", "order", "facet", "raw",
         "gzip", "x", ""]  # fmt: skip
INGEST_NAMES = ["name", "id", "value", "encoding", "delimiter", "quote", "escape", "header",
                "skip", "sheet", "rows_path", "format", "x"]  # fmt: skip
TELLING = [
    "",
    "0",
    "1",
    "-1",
    "9" * 30,
    "1e9",
    "NaN",
    "raw",
    "shop",
    "shop:1",
    "null",
    "api",
    "json",
    "1:eq:1",
    "value:gt:1",
    "id:empty",
    "sum:value",
    "bin:value",
    "month",
    "2026-03-01",
    "csv",
    "xlsx",
]
ENCODED = [
    "%00",
    "%FF",
    "%C3",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "%",
    "%2",
    "%zz",
    "%25",
    "%5C",
    "%27",
    "%0A",
]
VALUES = st.one_of(
    st.sampled_from(TELLING),
    st.lists(
        st.sampled_from([*ENCODED, *string.printable.translate({ord(c): None for c in "#&\r\n"})]),
        max_size=8,
    ).map("".join),
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
PATHS = st.one_of(
    st.sampled_from(
        [
            "/records",
            "/stats",
            "/api/records",
            "/api/stats",
            "/api/",
            "/health",
            "/api/runs",
            "/api/runs/1",
            "/api/export",
            "/api/records/facets",
            "/api/v1/questions/answer",
        ]
    ),
    VALUES.map(lambda part: "/records/" + part.replace("?", "%3F")),
)
BODIES = st.one_of(
    st.binary(max_size=30),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["source", "limit", "x"]), inner, max_size=3)
        ),
        max_leaves=5,
    ),
)


@pytest.fixture
def api(db) -> APIClient:
    land("shop", {"1": sale(1), "2": {"id": "2"}, "50%": sale(3)})
    process_all()
    client = APIClient()
    client.force_login(User.objects.create_superuser("admin"))
    return client


fuzzed = settings(max_examples=150)


@fuzzed
@given(path=PATHS, query=QUERIES)
def test_no_question_is_answered_by_an_internal_error(api, path, query):
    response = api.get(f"{path}?{query}")
    assert response.status_code in (200, 400, 404, 503)
    assert response.status_code != 503 or path == "/health"
    # An export holds its slot, of which each person has a few, until it has been read.
    response.getvalue()


@fuzzed
@given(body=BODIES)
def test_no_body_is_answered_by_an_internal_error(api, body):
    if isinstance(body, bytes):
        response = api.post("/process", body, content_type="application/json")
    else:
        try:
            response = api.post("/process", body, format="json")
        except ValueError:
            return  # NaN: the client itself refuses to send it.
    assert response.status_code in (202, 400)


@fuzzed
@given(
    name=st.sampled_from(INGEST_NAMES),
    value=VALUES,
    body=st.binary(max_size=30) | st.just(b"id,value\n1,2\n"),
    content_type=st.sampled_from([*KINDS, "text/csv; charset=x", "multipart/form-data", "x/y", ""]),
)
def test_no_input_is_answered_by_an_internal_error(api, name, value, body, content_type):
    response = api.generic("POST", f"/ingest?source=s&{name}={value}", body, content_type)
    assert response.status_code in (202, 400, 404, 415)
