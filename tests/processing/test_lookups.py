"""Lookups in other sources, from saving the rule to results that follow the other source."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import SourceGrant
from processing.errors import InvalidRules
from processing.jobs import facts, rule_dry_runs
from processing.lookups import check_lookups
from records import store
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, ProcessingRun, Source
from records.signals import landed
from records.visible_sources import limited_to
from tests.landed import land, process_all
from tests.markup import tree
from tests.people import of_role

pytestmark = pytest.mark.django_db

STEP = {
    "rule": "lookup", "column": "customer", "source": "customers", "key": "no", "take": ["region"],
}  # fmt: skip


@pytest.fixture
def orders():
    land("customers", {"1": {"no": "1", "region": "North"}, "2": {"no": "2", "region": "South"}})
    land("orders", {"a": {"customer": "1"}, "b": {"customer": "2"}, "c": {"customer": "3"}})
    source = Source.objects.get(name="orders")
    store.save_rule_set(source=source, rules=[STEP])
    process_all()
    return source


def work_off():
    """Work on the runs that are waiting, as the workers do."""
    for run in ProcessingRun.objects.active().order_by("pk"):
        work_on(run, "worker")


def regions():
    """What became of each order: its region, or why it failed."""
    records = DataRecord.objects.of_source("orders").order_by("id")
    found = {}
    for record in records:
        result = record.results.get(current=True)
        cells = result.processed_data
        found[record.pk.partition(":")[2]] = cells["region"] if cells else result.error_message
    return found


FAILED = "Data validation failed: 'customer' matches no record of 'customers'."


def test_records_have_the_cells_of_the_other_source(orders):
    assert regions() == {"a": "North", "b": "South", "c": FAILED}


def test_results_follow_the_other_source(orders, django_capture_on_commit_callbacks):
    before = set(orders_results())
    with django_capture_on_commit_callbacks(execute=True):
        store.edit_record(record_id="customers:1", data={"no": "1", "region": "East"}, user=None)
    work_off()
    assert regions() == {"a": "East", "b": "South", "c": FAILED}
    # Those that come out as before are not replaced.
    assert len(set(orders_results()) - before) == 1
    with django_capture_on_commit_callbacks(execute=True):
        store.delete_records(ids=["customers:2"])
    work_off()
    assert regions() == {"a": "East", "b": FAILED, "c": FAILED}


def test_deleting_records_of_several_sources_at_once_is_followed(
    orders, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        store.delete_records(ids=["customers:2", "orders:c"])
    work_off()
    assert regions() == {"a": "North", "b": FAILED}


def orders_results():
    return DataRecord.objects.of_source("orders").values_list("results__pk", flat=True)


def test_a_source_that_is_gone_fails_records_not_the_run(orders):
    Source.objects.filter(name="customers").update(name="clients")
    run = ProcessingRun.objects.create(source=orders, selection="all", trigger="test")
    work_on(run, "worker")
    run.refresh_from_db()
    assert run.state == "finished"
    assert set(regions().values()) == {
        "Data validation failed: 'customer' can't be looked up: there is no source 'customers'."
    }


def test_a_source_that_is_too_large_is_told(orders, monkeypatch):
    monkeypatch.setattr(facts, "MOST_REFERENCED", 1)
    run = ProcessingRun.objects.create(source=orders, selection="all", trigger="test")
    work_on(run, "worker")
    assert "'customers' has 2 records, the limit is 1" in regions()["a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source": "customer"}, "there is no source 'customer'; did you mean 'customers'?"),
        ({"source": "x"}, "there is no source 'x'."),
        ({"take": ["regoin"]}, "'customers' has no column 'regoin'; did you mean 'region'?"),
        ({"key": "x"}, "'customers' has no column 'x'."),
    ],
)
def test_a_wrong_name_is_refused(orders, given, message):
    Source.objects.filter(name="customers").update(columns=["no", "region"])
    with pytest.raises(InvalidRules, match="Rule 2: ") as refused:
        check_lookups([{"rule": "drop", "columns": ["x"]}, STEP | given])
    assert str(refused.value) == f"Rule 2: {message}"


def test_nobody_looks_up_what_they_may_not_see(orders):
    with limited_to(["orders"]):
        for attempt in (check_lookups, lambda rules: rule_dry_runs.start(orders, rules)):
            with pytest.raises(InvalidRules, match="there is no source 'customers'"):
                attempt([STEP])


def test_all_ways_to_save_rules_refuse_what_is_not_there(orders, client, tmp_path):
    operator = of_role("Operator", "olga")
    SourceGrant.objects.create(user=operator, source=orders)
    client.force_login(operator)
    page = client.get("/sources/orders/rules/")
    assert page.status_code == 200
    (other,) = tree(page.content.decode()).select("datalist#sources")
    assert other.select("option") == []
    sent = {
        "step": "0", "0-rule": "lookup", "0-column": "customer", "0-source": "customers",
        "0-key": "no", "0-take": "region", "0-on_failure": "fail", "do": "save",
        "base": "1", "note": "",
    }  # fmt: skip
    answer = client.post("/sources/orders/rules/", sent)
    assert answer.status_code == 400
    assert "there is no source" in answer.content.decode()
    answer = client.post(
        "/api/v1/sources/orders/rules", {"rules": [STEP]}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert "there is no source 'customers'" in answer.json()["detail"]
    file = tmp_path / "rules.json"
    file.write_text('[{"rule": "lookup", "column": "c", "source": "x", "key": "k", "take": ["a"]}]')
    with pytest.raises(CommandError, match="there is no source 'x'"):
        call_command("rules", "--source", "orders", "--save", str(file))


def test_the_history_of_a_record_shows_what_was_looked_up(orders, client):
    client.force_login(of_role("Viewer", "vera"))
    page = client.get("/explore/record/orders:a")
    text = " ".join(tree(page.content.decode()).get_text().split())
    assert "Take 'region' from the record of 'customers' whose 'no' is 'customer'" in text
    assert "North" in text


def test_an_import_of_the_other_source_is_followed(orders):
    run = land("customers", {"3": {"no": "3", "region": "West"}})
    landed.send(sender=IngestionRun, source=run.source)
    followers = ProcessingRun.objects.filter(source=orders, selection="changed")
    assert followers.count() == 1
    landed.send(sender=IngestionRun, source=run.source)
    assert followers.count() == 1
    # One that has begun may have looked up what was there before.
    followers.update(started_at=run.finished_at)
    landed.send(sender=IngestionRun, source=run.source)
    assert followers.count() == 2
    work_off()
    assert regions()["c"] == "West"
