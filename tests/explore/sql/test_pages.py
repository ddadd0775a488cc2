"""The page and the API of statements in SQL: who may run them, and what they answer."""

import csv
import io
import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import AuditEntry
from explore.sql import answer
from records.models import Source
from tests.landed import land, process_all, sale
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db

STATEMENT = "SELECT category, count(*) AS n FROM shop GROUP BY ALL"


@pytest.fixture(autouse=True)
def shop() -> None:
    land("shop", {"1": sale(1), "2": sale(2)})
    process_all()
    Source.objects.update(columns=["id", "value", "category"])


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(of_role("Editor", "ed"))
    return client


def test_the_page_shows_the_result_the_tables_and_examples(editor):
    page = editor.get("/sql/", {"statement": STATEMENT}).content.decode()
    assert "1 row</h2>" in page
    assert ">Toys</td>" in page
    assert "record_timestamp" in page
    assert "TIMESTAMPTZ" in page
    assert "format=parquet" in page
    assert "SELECT * FROM &quot;shop&quot; LIMIT 20" in page
    assert STATEMENT in page


def test_each_example_can_be_run(editor):
    for _, url in editor.get("/sql/").context["examples"]:
        assert editor.get(f"/sql/{url}").status_code == 200


def test_a_mistake_is_said_beside_the_statement(editor):
    answered = editor.get("/sql/", {"statement": "SELECT zz FROM shop"})
    assert answered.status_code == 400
    page = answered.content.decode()
    assert "(line 1, column 8)." in page
    assert 'aria-invalid="true"' in page
    assert "SELECT zz FROM shop</textarea>" in page
    assert editor.get("/sql/", {"q": "1"}).status_code == 400


def test_a_statement_of_several_lines_stays_as_it_is(editor):
    statement = "\n\nSELECT 1,\n       2\n"
    page = editor.get("/sql/", {"statement": statement}).content.decode()
    assert f">\n{statement}</textarea>" in page


def test_a_statement_is_never_markup(editor):
    page = editor.get("/sql/", {"statement": "SELECT '<b>x</b>' AS \"<i>\""}).content.decode()
    assert "<b>x" not in page
    assert "<i>" not in page


def test_viewers_may_not_run_statements_and_see_no_link(client):
    client.force_login(viewer())
    assert client.get("/sql/").status_code == 403
    assert client.get("/api/v1/sql", {"statement": "SELECT 1"}).status_code == 403
    assert 'href="/sql/"' not in client.get("/questions/").content.decode()


def test_nobody_runs_statements_without_an_account(client, settings):
    settings.ANONYMOUS_READING = True
    assert client.get("/sql/").status_code == 302
    assert client.get("/api/v1/sql", {"statement": "SELECT 1"}).status_code in (401, 403)


def test_the_api_answers_with_rows_of_json(editor):
    for answered in (
        editor.get("/api/v1/sql", {"statement": STATEMENT}),
        editor.post("/api/v1/sql", {"statement": STATEMENT}, content_type="application/json"),
    ):
        found = answered.json()
        assert found.pop("as_of")
        assert found == {
            "columns": ["category", "n"],
            "types": ["VARCHAR", "BIGINT"],
            "rows": [["Toys", 2]],
            "is_cut": False,
            "remarks": [],
        }


def test_files_are_safe_for_spreadsheets_and_never_cut(editor):
    url = "/api/v1/sql"
    asked = {"statement": "SELECT '=1+1' AS a, 1.50 AS b, NULL AS c, true AS d", "format": "csv"}
    answered = editor.get(url, asked)
    assert answered["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answered.content.decode()))) == [
        ["a", "b", "c", "d"],
        ["'=1+1", "1.50", "", "true"],
    ]
    assert editor.get(url, {**asked, "format": "parquet"}).content[:4] == b"PAR1"
    for kind in ("csv", "parquet"):
        refused = editor.get(url, {"statement": "SELECT * FROM range(10001)", "format": kind})
        assert refused.status_code == 400
        assert "Add LIMIT 10000" in refused.content.decode()


def test_what_the_api_refuses_is_a_sentence(editor, monkeypatch):
    url = "/api/v1/sql"
    refused = editor.get(url, {"statement": "DROP VIEW shop"})
    assert refused.status_code == 400
    assert "Only SELECT statements can be run here." in refused.content.decode()
    assert editor.get(url).status_code == 400
    assert editor.get(url, {"statement": "SELECT 1", "format": "xml"}).status_code == 400
    person = User.objects.get(username="ed").pk
    with answer._one_at_a_time(person):
        busy = editor.get(url, {"statement": "SELECT 1"})
        assert (busy.status_code, busy["Retry-After"]) == (429, "5")
        assert editor.get("/sql/", {"statement": "SELECT 1"}).status_code == 429
    monkeypatch.setattr(answer, "SECONDS", 1.0)
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    assert editor.get(url, {"statement": endless}).status_code == 503


def test_each_statement_is_in_the_audit_log_also_a_refused_one(editor):
    for statement in (STATEMENT, "DROP VIEW shop"):
        editor.get("/sql/", {"statement": statement})
    entries = AuditEntry.objects.filter(action="sql.run").order_by("pk")
    assert [json.loads(entry.after)["statement"] for entry in entries] == [
        STATEMENT,
        "DROP VIEW shop",
    ]
    assert {entry.user_name for entry in entries} == {"ed"}
