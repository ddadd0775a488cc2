"""The pages of a source's rules: edit, try, save, compare."""

import html
import re

import pytest
from django.contrib.auth.models import Permission

from processing.pages.rule_comparison import compare_rules
from processing.pages.rule_form import are_known, fields_of, read_steps, same_rules
from processing.rules import KINDS, Step
from processing.rules.defaults import default_rules
from records import store
from records.models import DryRun, RuleSet, Source
from tests.landed import land, process_all, sale
from tests.markup import sent_by, tree
from tests.people import viewer
from tests.processing.rules.test_kinds import STEPS

pytestmark = pytest.mark.django_db

URL = "/sources/shop/rules/"
COMPARE = "/sources/shop/rules/compare/"
NUMBER: Step = {"rule": "number", "column": "value", "default": 0.0}
TEXT: Step = {"rule": "text", "column": "category", "strip": True}


@pytest.fixture
def shop() -> Source:
    rows = {str(n): sale(n) for n in range(25)} | {"bad": sale(1, value="bad"), "none": {"id": "1"}}
    land("shop", rows)
    process_all()
    Source.objects.update(columns=["id", "value", "category"])
    return Source.objects.get()


def text(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def form_of(page: str) -> dict[str, list[str]]:
    """What the form of the rules would send as it stands."""
    (form,) = tree(page).select("form#rules")
    sent = sent_by(form)
    del sent["csrfmiddlewaretoken"]
    return sent


def pressed(client, page: str, do: str, **given: str):
    form = form_of(page) | {"do": [do]} | {name: [value] for name, value in given.items()}
    return client.post(URL, form)


def form_data(rules: list[Step]) -> dict[str, str]:
    """A form filled with steps."""
    data: dict[str, str] = {}
    for step in fields_of(rules):
        data[f"{step.place}-rule"] = step.kind.code
        for field in (*step.fields, step.off, step.note):
            if field.widget != "check":
                data[field.name] = field.text
            elif field.is_on:
                data[field.name] = "1"
    return data


class Sent(dict):  # type: ignore[type-arg]
    """What a browser sends, without a request."""

    def getlist(self, name):
        return self[name]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["rule"])
def test_a_step_comes_back_from_its_form_as_it_was(step):
    data = form_data([step])
    assert same_rules(read_steps(Sent(data, step=["0"])), [step])
    crlf = {name: value.replace("\n", "\r\n") for name, value in data.items()}
    assert same_rules(read_steps(Sent(crlf, step=["0"])), [step])


@pytest.mark.parametrize(
    "step",
    [
        {"rule": "drop", "columns": ["a", " b ", "c\nd", "[x"]},
        {"rule": "drop", "columns": ["[x", "y"]},
        {"rule": "replace", "column": "a", "table": {"=>": "b", "c => d": "e"}},
        {"rule": "replace", "column": "a", "table": {"a": "1", "b": ""}},
        {"rule": "replace", "column": "a", "table": {"{": "b"}},
        {"rule": "combine", "columns": ["a", "b"], "into": "c", "separator": ""},
        {"rule": "allowed", "column": "a", "values": ["", "x"]},
        {"rule": "range", "column": "a", "least": 1e300, "greatest": 1e300},
        {"rule": "number", "column": "a", "default": 5},
        {"rule": "number", "column": "a", "default": 5.0},
        {"rule": "pattern", "column": "a", "pattern": " <b>&\"' ", "note": "why\u202e"},
    ],
)
def test_odd_parameters_come_back_as_well(step):
    assert are_known([step])
    assert same_rules(read_steps(Sent(form_data([step]), step=["0"])), [step])


def test_the_page_shows_the_rules_in_force_and_what_they_make_of_rows(admin_client, shop):
    page = text(admin_client.get(URL))
    assert "Version 1 is active" in page
    assert 'id="step-4"' in page
    assert "Convert &#x27;value&#x27; to a number" in page
    assert "bad</code> → <code>0.0</code>" in page
    assert "Data validation failed: &#x27;value&#x27; is missing." in page
    assert page.count('<th scope="row"><a href="/explore/record/') == 20


def test_saving_the_form_as_it_is_makes_no_version(admin_client, shop):
    page = text(admin_client.get(URL))
    answer = pressed(admin_client, page, "save")
    assert answer.status_code == 302
    assert "No changes: version 1 stays active." in text(admin_client.get(URL))
    assert RuleSet.objects.count() == 1


def test_a_change_is_saved_with_author_and_note(admin_client, shop, admin_user):
    page = text(admin_client.get(URL))
    assert pressed(admin_client, page, "save", **{"1-default": "-1", "note": "Why"}).url == URL
    saved = shop.current_rule_set
    assert saved is not None
    assert (saved.version, saved.note, saved.author) == (2, "Why", admin_user)
    assert saved.rules[1] == {"rule": "number", "column": "value", "default": -1}
    page = text(admin_client.get(URL))
    assert "Version 2 is now active. Existing results stay until" in page
    assert f'href="{COMPARE}"' in page


def test_steps_are_added_moved_switched_off_and_removed(admin_client, shop):
    page = text(admin_client.get(URL))
    page = text(pressed(admin_client, page, "add", kind="range"))
    assert "Rule 5: &#x27;column&#x27; of &#x27;range&#x27; must be a column name." in page
    page = text(pressed(admin_client, page, "check", **{"4-column": "value", "4-least": "5"}))
    assert "Require &#x27;value&#x27; to be at least 5; other values fail the record" in page
    page = text(pressed(admin_client, page, "up-4", **{"4-note": "Because"}))
    page = text(pressed(admin_client, page, "down-0"))
    page = text(pressed(admin_client, page, "remove-2"))
    pressed(admin_client, page, "save", **{"0-off": "1"})
    saved = shop.current_rule_set
    assert saved is not None
    assert [step["rule"] for step in saved.rules] == ["number", "required", "range", "stamp"]
    assert saved.rules[0]["off"] is True
    assert saved.rules[2] == {"rule": "range", "column": "value", "least": 5, "note": "Because"}


@pytest.mark.parametrize(
    "do", ["up-0", "down-3", "up-99", "remove-x", "remove--1", "up-²", "", "x"]
)
def test_a_button_that_leads_nowhere_changes_nothing(admin_client, shop, do):
    page = text(admin_client.get(URL))
    assert form_of(text(pressed(admin_client, page, do))) == form_of(page)


def test_the_live_check_answers_with_its_part_alone(admin_client, shop):
    form = form_of(text(admin_client.get(URL))) | {"1-default": ["99"]}
    part = text(admin_client.post(URL, form, headers={"HX-Request": "true"}))
    assert part.startswith('<section class="card" id="trial"')
    assert "bad</code> → <code>99.0</code>" in part
    form["1-default"] = ["much"]
    part = text(admin_client.post(URL, form, headers={"HX-Request": "true"}))
    assert "Rule 2: &#x27;default&#x27; of &#x27;number&#x27; must be a number." in part
    assert RuleSet.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"1-column": ""}, "Rule 2: 'column' of 'number' must be a column name."),
        ({"1-default": "1,5"}, "Rule 2: 'default' of 'number' must be a number."),
        ({"1-default": "inf"}, "Rule 2: 'default' of 'number' must be a number."),
        ({"1-thousands": "."}, "Rule 2: 'decimal' and 'thousands' must be different."),
        ({"1-on_failure": "burn"}, "Rule 2: 'on_failure' of 'number' must be one of"),
        (
            {"0-columns": ""},
            "Rule 1: 'columns' of 'required' must be a list of different column names",
        ),
        (
            {"0-columns": "[1"},
            "Rule 1: 'columns' of 'required' must be a list of different column names",
        ),
        ({"1-column": "a\0"}, "Rule 2: 'column' of 'number' must be a column name."),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"note": "\0"}, "no NUL"),
        ({"note": "Default rules for the source's mapping"}, "This note is reserved"),
        ({"base": "0"}, "Version 1 has been saved in the meantime."),
        ({"0-rule": "magic"}, "'rule' must be one of"),
    ],
)
def test_what_makes_no_sense_is_not_saved(admin_client, shop, given, sentence):
    page = text(admin_client.get(URL))
    answer = html.unescape(text(pressed(admin_client, page, "save", **given), 400))
    assert sentence in answer
    assert RuleSet.objects.count() == 1


def test_a_pattern_with_a_mistake_is_refused_with_step_and_reason(admin_client, shop):
    page = text(pressed(admin_client, text(admin_client.get(URL)), "add", kind="pattern"))
    given = {"4-column": "category", "4-pattern": "(a"}
    answer = html.unescape(text(pressed(admin_client, page, "save", **given), 400))
    assert "Rule 5: 'pattern' is not valid: missing ): (a." in answer


def test_rules_are_proposed_from_rows_or_from_a_dry_run(admin_client, shop):
    page = text(pressed(admin_client, text(admin_client.get(URL)), "propose"))
    assert "Flag anomalies" in page
    assert RuleSet.objects.count() == 1
    profile = {"name": "weight", "looks_like": "number", "filled": 5, "empty": 0, "distinct": 5}
    profile |= {"exact": True, "numbers": 1.0, "least": "1", "greatest": "5", "top": [["1", 1]]}
    run = shop.ingestion_runs.get()
    DryRun.objects.create(run=run, state="finished", report={"profile": [profile]})
    page = text(pressed(admin_client, page, "propose"))
    assert 'value="weight"' in page
    assert pressed(admin_client, page, "save").status_code == 302


def test_a_former_version_is_where_to_start_from(admin_client, shop):
    store.save_rule_set(source=shop, rules=[], note="None at all")
    page = text(admin_client.get(URL))
    assert "No rules: records are processed without changes." in page
    assert 'href="?from=1"' in page
    page = text(admin_client.get(f"{URL}?from=1"))
    assert 'value="Back to version 1"' in page
    pressed(admin_client, page, "save")
    saved = shop.current_rule_set
    assert saved is not None
    assert (saved.version, saved.note) == (3, "Back to version 1")
    assert same_rules(saved.rules, default_rules(shop.mapping))


@pytest.mark.parametrize("version", ["9", "x", "-1", "²", "9" * 30, "\0"])
def test_a_version_that_is_not_there_is_not_found(admin_client, shop, version):
    assert admin_client.get(URL, {"from": version}).status_code == 404
    assert admin_client.get(COMPARE, {"old": version}).status_code == 404


def test_a_source_without_rules_starts_from_the_default_ones(admin_client):
    Source.objects.create(name="shop", mapping={"value": ["total"]})
    page = text(admin_client.get(URL))
    assert "No rules saved yet" in page
    assert "The source has no records yet." in page
    assert admin_client.get(COMPARE).status_code == 404
    pressed(admin_client, page, "save")
    assert RuleSet.objects.get().rules[1]["rule"] == "number"


def test_rules_that_are_no_longer_known_are_no_error(admin_client, shop):
    store.save_rule_set(source=shop, rules=[{"rule": "magic"}], note="old")
    assert "can't be edited here" in text(admin_client.get(URL))
    assert "no longer supported" in text(admin_client.get(COMPARE))
    assert "Unknown rule: &#x27;magic&#x27;" in text(admin_client.get("/sources/shop/"))


def test_versions_are_compared_side_by_side(admin_client, shop):
    rules = [*default_rules(shop.mapping)[1:], {"rule": "drop", "columns": ["<b>"]}]
    rules[0] = {**rules[0], "on_failure": "empty"}
    store.save_rule_set(source=shop, rules=rules, note="Stricter")
    page = html.unescape(text(admin_client.get(COMPARE)))
    assert "version 1 vs. 2" in page
    assert re.findall(r'class="pair-(\w+)"', page) == [
        "removed",
        "changed",
        "same",
        "same",
        "added",
    ]
    assert "<del>Use the default</del> <ins>Empty the cell</ins>" in page
    assert "&lt;b&gt;" in text(admin_client.get(COMPARE))
    page = text(admin_client.get(COMPARE, {"old": "2", "new": "2"}))
    assert set(re.findall(r'class="pair-(\w+)"', page)) == {"same"}


def test_pairs_keep_the_order_of_both_versions():
    old, new = [NUMBER, TEXT], [TEXT | {"lower": True}, NUMBER, TEXT]
    states = [pair.state for pair in compare_rules(old, new)]
    assert states == ["added", "same", "same"]
    assert [pair.state for pair in compare_rules([NUMBER], [TEXT])] == ["removed", "added"]
    assert compare_rules([], []) == []


def test_editing_needs_its_permission_and_looking_does_not(client, shop):
    user = viewer("reader")
    client.force_login(user)
    assert f'href="{URL}"' not in text(client.get("/sources/shop/"))
    assert "Ask an administrator" in text(client.get(URL), 403)
    assert client.post(URL, {"do": "save"}).status_code == 403
    assert client.get(COMPARE).status_code == 200
    user.user_permissions.add(Permission.objects.get(codename="add_ruleset"))
    assert f'href="{URL}"' in text(client.get("/sources/shop/"))
    assert client.get(URL).status_code == 200
    assert client.get("/sources/nope/rules/").status_code == 404


@pytest.mark.parametrize("url", [URL, COMPARE])
def test_both_pages_need_a_login(client, url):
    assert client.get(url)["Location"].startswith("/login/?next=")


def test_each_kind_can_be_added(admin_client, shop):
    page = text(admin_client.get(URL))
    for kind in KINDS:
        assert KINDS[kind].title in text(pressed(admin_client, page, "add", kind=kind))
    assert form_of(text(pressed(admin_client, page, "add", kind="magic"))) == form_of(page)


def test_a_form_that_is_not_ours_is_refused(admin_client, shop):
    many = {"step": [str(n) for n in range(150)]}
    assert "at most 100 rules" in text(admin_client.post(URL, many), 400)
    assert admin_client.post(URL, {"step": "0", "0-rule": "\0"}).status_code == 400
    assert admin_client.post(URL, {"step": "<b>"}).status_code == 400
