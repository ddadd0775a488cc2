"""What rules ask about a whole source, and what processing makes of it."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from processing.engine.known_facts import Gatherer, KnownFacts
from processing.jobs import facts as facts_module
from processing.jobs import rule_dry_runs
from processing.jobs.facts import RunFacts, facts_of
from processing.rule_sets import rule_set_for
from processing.rules.facts import NO_FACTS
from records import store
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import (
    ProcessingBatch,
    ProcessingFacts,
    ProcessingResult,
    ProcessingRun,
    RuleDryRun,
    Source,
)
from tests.factories import land as land_rows
from tests.factories import process, row, running
from tests.landed import land

pytestmark = pytest.mark.django_db

UNIQUE = {"rule": "unique", "columns": ["value"]}
FAR = {"rule": "anomaly", "column": "value", "by": "category", "at_least": 5}
LOWER = {"rule": "text", "column": "category", "lower": True, "strip": True}


@pytest.fixture
def shop(settings):
    settings.BATCH_ROWS = 2
    values = ["10", "11", "9", "10.5", "9.5", "10", "99"]
    rows = {str(n): {"value": v, "category": [" a", "A"][n % 2]} for n, v in enumerate(values)}
    land("shop", rows)
    land("other", rows)
    return Source.objects.get(name="shop")


def test_facts_are_those_of_the_source_alone(shop):
    facts = facts_of("shop", [LOWER, UNIQUE, FAR])
    middle = facts.middle("value", "category", "a")
    assert middle is not None
    assert (middle.size, middle.median) == (7, 10.0)
    assert facts.is_repeated(["value"], ["10"], "shop:5", first=True)
    assert not facts.is_repeated(["value"], ["10"], "shop:0", first=True)
    assert not facts.is_repeated(["value"], ["99"], "shop:6", first=False)


def test_rules_that_ask_for_nothing_read_nothing(shop, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert facts_of("shop", [LOWER, FAR | {"off": True}]) is NO_FACTS


def test_processing_flags_and_fails_by_them_whatever_the_batches(shop):
    store.save_rule_set(source=shop, rules=[LOWER, UNIQUE, FAR])
    run = process("shop")
    assert (run.state, run.processed, run.failed) == ("finished", 6, 1)
    failed = ProcessingResult.objects.get(record_id="shop:5")
    assert failed.error_message == ("Data validation failed: 'value' is not unique.")
    assert ProcessingFacts.objects.filter(run=run).count() == 1


def test_the_reason_stands_in_the_result_and_on_the_page(shop, admin_client):
    store.save_rule_set(source=shop, rules=[LOWER, FAR])
    process("shop")
    flagged = ProcessingResult.objects.exclude(anomaly=None).get()
    assert (flagged.record_id, flagged.success) == ("shop:6", True)
    page = admin_client.get("/explore/record/shop:6").content.decode()
    assert "Anomaly: &#x27;value&#x27; is 99, more than 5 times the typical deviation" in page
    assert "Anomaly:" not in admin_client.get("/explore/record/shop:5").content.decode()


def test_those_that_work_on_a_run_share_its_facts(shop):
    rule_set = store.save_rule_set(source=shop, rules=[LOWER, FAR])
    run = ProcessingRun.objects.create(source=shop, trigger="test")
    first = RunFacts(run).of(rule_set)
    land_rows([row("shop:9", {"value": "1e300", "category": "a"})], run=running("shop"))
    second = RunFacts(run).of(rule_set)
    assert isinstance(first, KnownFacts)
    assert isinstance(second, KnownFacts)
    assert json.dumps(first.as_json()) == json.dumps(second.as_json())
    other_run = RunFacts(ProcessingRun.objects.create(source=shop, trigger="test")).of(rule_set)
    assert other_run.middle("value", "category", "a") == pytest.approx((8, 10.25, 1.1119), 1e-3)


def test_huge_values_come_back_from_the_database(shop):
    rows = {str(n): {"value": 1e300, "category": "b"} for n in range(5)}
    land("huge", rows)
    source = Source.objects.get(name="huge")
    rule_set = store.save_rule_set(source=source, rules=[FAR])
    run = ProcessingRun.objects.create(source=source, trigger="test")
    before, after = RunFacts(run).of(rule_set), RunFacts(run).of(rule_set)
    assert before.middle("value", "category", "b") == after.middle("value", "category", "b")
    assert isinstance(after.middle("value", "category", "b").median, float)  # type: ignore[union-attr]


def test_default_rules_ask_for_nothing(shop):
    run = process()
    assert run.state == "finished"
    assert not ProcessingFacts.objects.exists()
    assert RunFacts(run).of(rule_set_for(shop)) is NO_FACTS


@pytest.fixture
def slow(settings, monkeypatch):
    """Each part of a source takes ten seconds to read, by a clock of its own; the leases are
    looked at before the next."""
    settings.LEASE_SECONDS, seconds = 40, [0.0]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    add, parts = Gatherer.add, []

    def now():
        return start + timedelta(seconds=seconds[0])

    def slowly(gatherer, ids, rows):
        seconds[0] += 10
        add(gatherer, ids, rows)
        for model in (ProcessingRun, ProcessingBatch, RuleDryRun):
            lapsed = model.objects.filter(lease_until__lt=now())
            assert not lapsed.exists(), f"a lease has lapsed after {seconds[0]} s"
        parts.append(len(ids))

    monkeypatch.setattr(Gatherer, "add", slowly)
    monkeypatch.setattr(facts_module, "READ_ROWS", 1)
    monkeypatch.setattr(leases, "now", now)
    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return parts


def test_a_run_and_its_batches_are_kept_while_facts_are_gathered(shop, slow):
    store.save_rule_set(source=shop, rules=[LOWER, UNIQUE, FAR])
    run = process("shop")
    assert (run.state, run.error, run.processed, run.failed) == ("finished", "", 6, 1)
    assert slow == [1] * 7


def test_a_dry_run_is_kept_while_facts_are_gathered(shop, slow):
    dry_run = rule_dry_runs.start(shop, [LOWER, UNIQUE, FAR])
    done = work_on(dry_run, "worker")
    assert done is not None
    assert (done.state, done.error, done.done) == ("finished", "", 7)
    assert slow == [1] * 7


def test_who_gathers_facts_for_a_run_that_has_ended_stops(shop, slow, monkeypatch):
    store.save_rule_set(source=shop, rules=[FAR])
    add = Gatherer.add

    def and_cancel(gatherer, ids, rows):
        add(gatherer, ids, rows)
        for run in ProcessingRun.objects.active():
            leases.stop(run)

    monkeypatch.setattr(Gatherer, "add", and_cancel)
    assert process("shop").state == "cancelled"
    assert len(slow) < 3
    assert not ProcessingFacts.objects.exists()
