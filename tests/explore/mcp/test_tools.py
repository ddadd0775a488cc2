"""What the tools for assistants answer, refuse, and leave to people."""

import json

import pytest
from django.test import Client

from accounts.models import ApiToken, TokenScope
from accounts.tokens.manage import revoke
from explore.mcp import tools
from explore.mcp.arguments import check
from explore.mcp.caller import Failed
from records.models import DataRecord, RuleDryRun, Source
from records.rows import Reject
from tests.explore.mcp.asking import call, post, refusal
from tests.landed import land, process_all, sale
from tests.people import of_role, viewer
from tests.tokens import token_of
from web.throttling import api as throttles
from web.throttling.limits import Over

pytestmark = pytest.mark.django_db

RULES = [{"rule": "required", "columns": ["value"]}]


@pytest.fixture
def token() -> str:
    """A token of an operator that may write."""
    return token_of(of_role("Operator", "operator"))


@pytest.fixture
def reading() -> str:
    """A token of a viewer that may read."""
    return token_of(viewer("reader"), scope=TokenScope.READ)


def test_records_are_cited_with_filter_count_run_and_line(reading):
    run = land("shop", {"1": sale(1), "2": sale(2), "3": sale(3, category="Books")})
    asked = {"source": ["shop"], "where": ["category:eq:Toys"]}
    first = call(reading, "query_records", filter=asked, limit=1)
    assert first["filter"] == asked
    assert first["matching_records"] == 2
    assert [(each["id"], each["run"], each["line"]) for each in first["records"]] == [
        ("shop:1", run.pk, 2)
    ]
    second = call(reading, "query_records", filter=asked, limit=1, cursor=first["cursor"])
    assert [each["id"] for each in second["records"]] == ["shop:2"]
    assert second["cursor"] is None
    assert first["page"] == "http://testserver/explore/?source=shop&where=category%3Aeq%3AToys"


def test_a_source_is_described_by_columns_with_types_examples_and_roles(reading):
    land("shop", {"1": sale(1), "2": sale(2)})
    process_all()
    described = call(reading, "describe_source", source="shop")
    columns = {column["name"]: column for column in described["columns"]}
    assert columns["value"] == {
        "name": "value", "type": "number", "examples": ["1.5", "2.5"], "roles": ["value"],
    }  # fmt: skip
    assert columns["id"]["roles"] == ["id"]
    assert described["rules"]["in_words"]
    assert described["total_records"] == 2


def test_a_record_has_a_history_with_its_run_and_line(reading):
    run = land("shop", {"1": sale(1)})
    history = call(reading, "record_history", id="shop:1")
    assert (history["run"], history["line"]) == (run.pk, 2)
    assert history["parts"][0]["title"] == "Imported from line 2 of rows.csv"
    assert call(reading, "get_record", id="shop:1")["page"].endswith("/explore/record/shop%3A1")


def test_runs_and_rejected_rows_are_listed(reading):
    reject = Reject(line=3, raw=b"2;x", code="too_few_cells", message="Too few cells.")
    run = land("shop", {"1": sale(1)}, rejects=(reject,))
    assert [each["id"] for each in call(reading, "list_runs", source="shop")["runs"]] == [run.pk]
    assert call(reading, "get_run", kind="ingestion", number=run.pk)["ledger"]["rejected"] == 1
    rows = call(reading, "list_rejected_rows", run=run.pk)["rejected_rows"]
    assert [(row["line"], row["code"]) for row in rows] == [(3, "too_few_cells")]
    assert refusal(reading, "preview_replay", run=run.pk)["code"] == "permission_denied"


def test_previews_change_nothing_and_lead_to_pages_that_ask_a_person(token):
    reject = Reject(line=4, raw=b"2;x", code="too_few_cells", message="Too few cells.")
    run = land("shop", {"1": sale(1), "2": sale(2)}, rejects=(reject,))
    process_all()
    before = list(DataRecord.objects.order_by("pk").values())
    browser = Client()
    browser.force_login(ApiToken.objects.get().owner)
    asked = {"source": ["shop"]}
    seen = {
        name: call(token, name, filter=asked)
        for name in ("preview_delete_records", "preview_reprocess_records")
    } | {name: call(token, name, run=run.pk) for name in ("preview_undo", "preview_replay")}
    assert seen["preview_delete_records"]["records"] == 2
    assert seen["preview_undo"]["created"] == 2
    assert seen["preview_replay"]["rejected_rows"] == 1
    for preview in seen.values():
        assert preview["status"].startswith("Nothing has been changed.")
        page = preview["confirm_at"].removeprefix("http://testserver")
        assert browser.get(page).status_code == 200
    assert list(DataRecord.objects.order_by("pk").values()) == before


def test_rules_are_tested_by_tokens_that_may_write_only(token, reading):
    land("shop", {"1": sale(1)})
    refused = refusal(reading, "test_rules", source="shop", rules=RULES)
    assert refused["code"] == "permission_denied"
    assert "may only read" in refused["detail"]
    assert not RuleDryRun.objects.exists()
    started = call(token, "test_rules", source="shop", rules=RULES)
    assert started["state"] == "queued"
    followed = call(token, "get_run", kind="rule_dry_run", number=started["id"])
    assert followed["page"] == started["page"]
    wrong = refusal(token, "test_rules", source="shop", rules=[{"rule": "nonsense"}])
    assert wrong["code"] == "invalid"
    assert "rules" in wrong["errors"]
    assert not Source.objects.get().rule_sets.exists()


@pytest.mark.parametrize(
    ("tool", "given", "code"),
    [
        ("query_records", {"filter": {"password": "x"}}, "invalid"),
        ("query_records", {"filter": {"where": ["x"]}}, "invalid"),
        ("query_records", {"filter": {"value_from": "many"}}, "invalid"),
        ("query_records", {"filter": {"source": "shop"}}, "invalid"),
        ("query_records", {"filter": {"q": "a\0b"}}, "invalid"),
        ("query_records", {"filter": {"q": "x" * 20_000}}, "invalid"),
        ("query_records", {"filter": []}, "invalid"),
        ("query_records", {"limit": 0}, "invalid"),
        ("query_records", {"limit": 10**30}, "invalid"),
        ("query_records", {"cursor": "nonsense"}, "invalid"),
        ("query_records", {"nonsense": 1}, "invalid"),
        ("query_records", {"limit": True}, "invalid"),
        ("get_record", {}, "invalid"),
        ("get_record", {"id": "shop:none"}, "not_found"),
        ("get_record", {"id": "facets"}, "invalid"),
        ("get_record", {"id": ""}, "invalid"),
        ("get_record", {"id": "../../health?x:1"}, "not_found"),
        ("get_record", {"id": "shop:\0"}, "not_found"),
        ("describe_source", {"source": "no/such source"}, "not_found"),
        ("describe_source", {"source": "shop/rules"}, "not_found"),
        ("describe_source", {"source": "none"}, "not_found"),
        ("get_run", {"kind": "ingestion", "number": 2**63 - 1}, "not_found"),
        ("get_run", {"kind": "ingestion", "number": 2**64}, "invalid"),
        ("get_run", {"kind": "ingestion", "number": 1.0}, "not_found"),
        ("get_run", {"kind": "none", "number": 1}, "invalid"),
        ("list_rejected_rows", {"run": 999}, "not_found"),
        ("preview_undo", {"run": 999}, "not_found"),
        ("preview_delete_records", {"filter": {"status": ["none"]}}, "invalid"),
        ("test_rules", {"source": "shop", "rules": "all"}, "invalid"),
    ],
)
def test_wrong_arguments_are_answered_with_a_problem_of_the_api(token, tool, given, code):
    land("shop", {"1": sale(1)})
    said = refusal(token, tool, **given)
    assert (said["code"], said["type"]) == (code, f"/api/v1/problems/{code}")
    assert said["detail"]
    assert len(json.dumps(said)) < 3_000


def test_text_that_is_no_unicode_is_refused():
    with pytest.raises(Failed, match="unpaired surrogate"):
        check({"q": "\ud800"}, {})


def test_a_tool_that_does_not_exist_is_an_error_that_names_the_others(reading):
    response = post(reading, "tools/call", name="drop_tables", arguments={})
    assert "query_records" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}", b"\xff"]
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_a_body_that_is_no_request_is_an_error_without_a_trace(reading, body, version):
    headers = {
        "authorization": f"Bearer {reading}",
        "mcp-protocol-version": version,
        "accept": "application/json",
    }
    response = Client().post("/mcp", body, content_type="application/json", headers=headers)
    assert response.status_code == 400
    assert b"Traceback" not in response.content


def test_a_tool_that_breaks_tells_nothing_of_why(reading, monkeypatch, caplog):
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(tools, "record_query", broken)
    said = refusal(reading, "query_records")
    assert said["code"] == "error"
    assert "secret" not in json.dumps(said)
    assert "a secret of the server" in caplog.text


@pytest.mark.parametrize("header", ["", "Token nonsense", "Bearer", "Basic YTpi"])
def test_without_a_token_nothing_is_answered(header):
    owner = viewer("reader")
    browser = Client()
    browser.force_login(owner)
    response = browser.post(
        "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        content_type="application/json", headers={"authorization": header},
    )  # fmt: skip
    assert response.status_code == 401
    assert response.json()["code"] in ("not_authenticated", "authentication_failed")
    assert "Bearer" in response.headers["WWW-Authenticate"]


def test_a_revoked_token_is_refused_at_once(reading):
    assert call(reading, "list_sources")["sources"] == []
    revoke(ApiToken.objects.get())
    assert post(reading, "tools/list").status_code == 401


def test_whoever_has_no_role_is_refused():
    response = post(token_of(of_role("Viewer", "left", is_active=True)), "tools/list")
    assert response.status_code == 200
    owner = ApiToken.objects.get().owner
    owner.groups.clear()
    assert post(token_of(owner), "tools/list").status_code == 403


def test_requests_by_get_are_refused(reading):
    response = Client().get("/mcp", headers={"authorization": f"Bearer {reading}"})
    assert response.status_code == 405


def test_the_limit_of_the_user_holds_for_tools(reading, monkeypatch):
    def over(pk: int) -> None:
        raise Over(30, "a user", 3)

    monkeypatch.setattr(throttles, "count_user", over)
    said = refusal(reading, "list_sources")
    assert said["code"] == "throttled"
    assert "Wait" in said["detail"] or "throttled" in said["detail"]


def test_a_token_notes_its_use(reading):
    call(reading, "list_sources")
    assert ApiToken.objects.get().last_used_from == "127.0.0.1"
