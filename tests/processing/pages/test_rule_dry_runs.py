"""The page of a dry run, and the worker's part in it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django_q.models import OrmQ

from processing.jobs import rule_dry_runs
from processing.pages.rule_form import fields_of
from processing.rules import Step
from records import store
from records.jobs.runner import work_on
from records.jobs.sweep import wake_stalled
from records.jobs.workers import worker_name
from records.models import DataRecord, Heartbeat, ProcessingResult, RuleDryRun, RuleSet, Source
from tests.factories import WORKER
from tests.landed import land, process_all, sale
from tests.people import viewer
from tests.processing.pages.test_rules import form_data

pytestmark = pytest.mark.django_db

START = "/sources/shop/rules/rehearse/"
NUMBER: Step = {"rule": "number", "column": "value", "on_failure": "fail"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def shop() -> Source:
    rows = {str(n): sale(n) for n in range(25)} | {"bad": sale(1, value=EVIL), "none": {"id": "1"}}
    land("shop", rows)
    process_all()
    return Source.objects.get()


def text(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def form(*rules: Step) -> dict[str, Any]:
    places = [step.place for step in fields_of(rules)]
    return {"step": places, **form_data(list(rules))}


def started(client) -> RuleDryRun:
    response = client.post(START, form(NUMBER))
    dry_run = RuleDryRun.objects.latest("pk")
    assert (response.status_code, response.url) == (302, dry_run.get_absolute_url())
    return dry_run


def test_the_rules_of_the_form_are_tested_by_a_worker(admin_client, shop):
    dry_run = started(admin_client)
    assert OrmQ.objects.filter(key="processing").exists()
    page = text(admin_client.get(dry_run.get_absolute_url()))
    assert "Waiting for a worker" in page
    assert "No worker is running" in page
    assert 'hx-trigger="every 1s"' in page
    done = work_on(dry_run, WORKER)
    assert done is not None
    assert (done.state, done.done, done.report["failing"]["newly"]) == ("finished", 27, 1)
    page = text(admin_client.get(dry_run.get_absolute_url()))
    assert "hx-trigger" not in page
    assert "<dt>Newly failing</dt><dd>1</dd>" in page
    assert "<dt>No longer failing</dt><dd>1</dd>" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert 'href="/explore/record/shop%3Abad"' in page


def test_nothing_but_the_dry_run_is_written(admin_client, shop):
    before = list(ProcessingResult.objects.order_by("pk").values())
    records = list(DataRecord.objects.order_by("pk").values())
    work_on(started(admin_client), WORKER)
    assert list(ProcessingResult.objects.order_by("pk").values()) == before
    assert list(DataRecord.objects.order_by("pk").values()) == records
    assert RuleSet.objects.count() == 1


def test_a_part_of_the_page_is_asked_for_while_it_goes_on(admin_client, shop):
    Heartbeat.objects.create(queue="processing", seen_at=shop.created_at)
    dry_run = started(admin_client)
    part = text(admin_client.get(dry_run.get_absolute_url(), headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert '<div id="rule-dry-run"' in part


def test_the_badge_comes_with_the_report_that_it_belongs_to(admin_client, shop):
    dry_run = started(admin_client)
    url = dry_run.get_absolute_url()
    assert '<span id="state"><span class="badge badge-queued">' in text(admin_client.get(url))
    work_on(dry_run, WORKER)
    part = text(admin_client.get(url, headers={"HX-Request": "true"}))
    assert '<span id="state" hx-swap-oob="true"><span class="badge badge-finished">' in part


def test_a_newer_dry_run_ends_those_that_go_on(admin_client, shop):
    first, second = started(admin_client), started(admin_client)
    first.refresh_from_db()
    assert (first.state, second.state) == ("cancelled", "queued")
    assert work_on(first, WORKER) is None
    assert "This test ended before all records were checked." in text(
        admin_client.get(first.get_absolute_url())
    )


def test_a_dry_run_is_cancelled(admin_client, shop):
    dry_run = started(admin_client)
    admin_client.post(f"{dry_run.get_absolute_url()}cancel/")
    dry_run.refresh_from_db()
    assert dry_run.state == "cancelled"


def test_one_that_is_cancelled_meanwhile_is_left(admin_client, shop, monkeypatch):
    dry_run = started(admin_client)

    def cancelled(source, rules, on_chunk, still_here):
        RuleDryRun.objects.update(state="cancelled")
        on_chunk(1)

    monkeypatch.setattr(rule_dry_runs, "examine_rules", cancelled)
    left = work_on(dry_run, WORKER)
    assert left is not None
    assert (left.state, left.report) == ("cancelled", {})


def test_a_dry_run_whose_worker_is_gone_is_woken_and_begins_anew(admin_client, shop):
    dry_run = started(admin_client)
    name = worker_name().split(":")
    gone = ":".join([name[0], "999999999", name[-1]])
    RuleDryRun.objects.update(state="running", worker=gone, woken_at=None, done=5)
    wake_stalled("processing")
    done = work_on(dry_run, WORKER)
    assert done is not None
    assert (done.state, done.done) == ("finished", 27)


def test_the_draft_is_taken_back_to_the_form(admin_client, shop):
    dry_run = started(admin_client)
    url = f"/sources/shop/rules/?rehearsed={dry_run.pk}"
    assert url in text(admin_client.get(dry_run.get_absolute_url()))
    page = text(admin_client.get(url))
    assert '<option value="fail" selected' in page
    assert page.count('class="card step') == 1
    for wrong in ("x", "²", "0", "9" * 40):
        assert admin_client.get(f"/sources/shop/rules/?rehearsed={wrong}").status_code == 404


def test_rules_with_a_mistake_are_refused(admin_client, shop):
    response = admin_client.post(START, form({**NUMBER, "column": ""}))
    assert "Rule 1" in text(response, 400)
    assert not RuleDryRun.objects.exists()
    assert admin_client.post(START, {"step": "0", "0-rule": "nope"}).status_code == 400


def test_a_source_without_records_has_a_report(admin_client):
    Source.objects.create(name="shop")
    dry_run = started(admin_client)
    work_on(dry_run, WORKER)
    assert "No records would fail or change." in text(admin_client.get(dry_run.get_absolute_url()))


def test_what_is_not_there_is_a_404(admin_client, shop):
    assert admin_client.post("/sources/nope/rules/rehearse/").status_code == 404
    for pk in (0, 2**70):
        assert admin_client.get(f"/rehearsals/{pk}/").status_code == 404
        assert admin_client.post(f"/rehearsals/{pk}/cancel/").status_code == 404
    assert admin_client.get(START).status_code == 405


def test_who_may_not_change_rules_may_look_and_not_start(client, shop):
    user = viewer("reader")
    client.force_login(user)
    assert client.post(START, form(NUMBER)).status_code == 403
    dry_run = rule_dry_runs.start(shop, [NUMBER], user=user)
    assert "Cancel" not in text(client.get(dry_run.get_absolute_url()))
    assert client.post(f"{dry_run.get_absolute_url()}cancel/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_ruleset"))
    client.force_login(User.objects.get(pk=user.pk))
    assert client.post(START, form(NUMBER)).status_code == 302


def test_a_draft_that_breaks_on_everything_fails_with_a_sentence(admin_client, shop, monkeypatch):
    def broken(*arguments, **named):
        raise ZeroDivisionError

    monkeypatch.setattr("processing.jobs.rule_report.make_outcomes", broken)
    done = work_on(started(admin_client), WORKER)
    assert done is not None
    assert (done.state, "ZeroDivisionError" in done.error) == ("failed", True)
    assert "ZeroDivisionError" in text(admin_client.get(done.get_absolute_url()))


def test_rules_saved_afterwards_do_what_was_forecast(admin_client, shop):
    done = work_on(started(admin_client), WORKER)
    assert done is not None
    store.save_rule_set(source=shop, rules=done.rules)
    store.requeue_records(ids=list(DataRecord.objects.values_list("pk", flat=True)))
    run = process_all()
    assert (run.processed, run.failed) == (done.report["processed"], done.report["failed"])
