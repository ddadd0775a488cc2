"""The rules of a source through the API."""

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from processing.rules import KINDS
from records import store
from records.jobs.runner import work_on
from records.models import RuleDryRun, RuleSet, Source
from tests.factories import WORKER
from tests.landed import land, sale
from tests.people import viewer
from tests.processing.rules.test_kinds import STEPS

pytestmark = pytest.mark.django_db

URL = "/api/sources/shop/rules"


@pytest.fixture
def shop() -> Source:
    return Source.objects.create(name="shop")


@pytest.fixture
def api(shop) -> APIClient:
    user = viewer("ruler")
    user.user_permissions.add(Permission.objects.get(codename="add_ruleset"))
    client = APIClient()
    client.force_login(user)
    return client


def test_rules_of_every_kind_are_saved_as_the_next_version(api, shop):
    Source.objects.create(name="s", columns=["k", "b", "d"])  # for lookups
    store.save_rule_set(source=shop, rules=[], note="Nothing")
    response = api.post(URL, {"rules": STEPS, "note": "All"}, format="json")
    assert response.status_code == 201
    saved = response.json()
    assert (saved["version"], saved["author"], saved["note"]) == (2, "ruler", "All")
    assert saved["rules"] == STEPS == RuleSet.objects.get(version=2).rules
    assert saved["in_words"][0] == "Require 'a' and 'b'"
    assert api.get(URL).json() == saved
    assert api.get(URL, {"version": 1}).json()["note"] == "Nothing"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "rules: This field is required."),
        ({"rules": {}}, "Rules must be a list."),
        ({"rules": [{"rule": "number"}]}, "Rule 1: 'column' of 'number' must be a column name."),
        ({"rules": [{"rule": "pattern", "column": "a", "pattern": "("}]}, "is not valid"),
        ({"rules": [], "note": "x" * 501}, "no more than 500 characters"),
        ({"rules": [], "note": "Default rules for the source's mapping"}, "This note is reserved"),
        ({"rules": [], "draft": True}, "Unknown field."),
        ([], "Invalid data"),
    ],
)
def test_mistakes_are_told(api, body, sentence):
    response = api.post(URL, body, format="json")
    assert response.status_code == 400
    assert sentence in response.json()["detail"]
    assert not RuleSet.objects.exists()


def test_what_is_not_there_is_not_found(api, shop):
    assert api.get(URL).status_code == 404
    assert api.get(URL, {"version": "7"}).status_code == 404
    assert api.get("/api/sources/nope/rules").status_code == 404
    assert api.post("/api/sources/nope/rules", {"rules": []}, format="json").status_code == 404
    for version in ("x", "-1", "²", "9" * 30, "\0", ""):
        assert api.get(URL, {"version": version}).status_code == 400
    assert api.get(URL, {"versions": "1"}).status_code == 400


def test_looking_needs_a_login_and_saving_a_permission(api, shop):
    store.save_rule_set(source=shop, rules=[])
    assert APIClient().get(URL).status_code == 401
    reader = APIClient()
    reader.force_login(viewer("reader"))
    assert reader.get(URL).status_code == 200
    assert reader.post(URL, {"rules": []}, format="json").status_code == 403


def test_the_schema_knows_every_kind(api):
    schema = api.get("/api/schema/", {"format": "json"}).json()
    answer = schema["components"]["schemas"][
        "NewRulesRequest" if "NewRulesRequest" in schema["components"]["schemas"] else "NewRules"
    ]
    kinds = answer["properties"]["rules"]["items"]["oneOf"]
    assert [kind["properties"]["rule"]["enum"] for kind in kinds] == [[code] for code in KINDS]
    assert kinds[1]["properties"]["default"]["default"] == 0.0


def test_a_schema_says_what_may_be_null():
    parameters = {p.name: p.schema() for p in KINDS["range"].parameters}
    assert parameters["least"]["nullable"] is True
    assert "nullable" not in parameters["column"]


def test_all_versions_are_listed_newest_first(api):
    for note in ("first", "second", "third"):
        api.post("/api/v1/sources/shop/rules", {"rules": [], "note": note}, format="json")
    first = api.get("/api/v1/sources/shop/rules/versions?limit=2").json()
    assert [each["note"] for each in first["versions"]] == ["third", "second"]
    rest = api.get(first["next"]).json()["versions"]
    assert rest[0]["note"] == "first"
    assert api.get("/api/v1/sources/nope/rules/versions").status_code == 404


def test_rules_are_tested_on_all_records_without_saving_them(api):
    land("shop", {"1": sale(1)})
    before = RuleSet.objects.count()
    rules = [{"rule": "required", "columns": ["none"]}]
    answer = api.post("/api/v1/sources/shop/rules/test", {"rules": rules}, format="json")
    assert answer.status_code == 202
    assert answer.json()["rules"] == rules
    work_on(RuleDryRun.objects.get(pk=answer.json()["id"]), WORKER)
    told = api.get(answer["Location"]).json()
    assert told["state"] == "finished"
    assert told["report"]["failed"] == 1
    assert RuleSet.objects.count() == before


@pytest.mark.parametrize("rules", [None, "x", [{"rule": "x"}], [{}], {"rule": "drop"}])
def test_rules_that_can_not_be_carried_out_are_not_tested(api, rules):
    answer = api.post("/api/v1/sources/shop/rules/test", {"rules": rules}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"rules"}
    assert not RuleDryRun.objects.exists()
