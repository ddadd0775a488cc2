"""Processing anew, after the rules have changed: all records, those that failed, or those whose
outcome changes."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from processing.jobs import process as processing_runs
from processing.rule_sets import rule_set_for
from records import store
from records.digests import digest_of_results
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    ProcessingResult,
    ProcessingRun,
    RuleSet,
    RunState,
    Selection,
    Source,
)
from tests.factories import WORKER, counted, recounted
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

ROWS = {
    "1": sale(1),
    "2": sale(2, value="n/a"),
    "3": sale(3, value=""),
    "4": sale(4, category=" Games "),
}


@pytest.fixture
def source() -> Source:
    land("shop", ROWS)
    process_all()
    return Source.objects.get()


def save_rules(source: Source, **number: Any) -> RuleSet:
    """The next version of the rules, with other parameters of the step for numbers."""
    rules = rule_set_for(source).rules
    changed = [{**step, **(number if step["rule"] == "number" else {})} for step in rules]
    return store.save_rule_set(source=source, rules=changed, note="changed")


def reprocess(selection: Selection, **options: Any) -> ProcessingRun:
    created = processing_runs.create_run(
        trigger="test", source_name="shop", selection=selection, **options
    )
    run = work_on(created, WORKER)
    assert run is not None
    assert run.state == RunState.FINISHED, run.error
    assert counted() == recounted()
    assert ProcessingResult.objects.current().count() == len(ROWS)
    return run


def tally(run: ProcessingRun) -> tuple[int, int, int]:
    return run.processed, run.failed, run.unchanged


def test_all_records_get_a_result_of_the_new_version_and_keep_the_former_as_history(source):
    version = save_rules(source, default=7.0)
    assert tally(reprocess(Selection.ALL)) == (3, 1, 0)
    assert {result.rule_set for result in ProcessingResult.objects.current()} == {version}
    assert ProcessingResult.objects.filter(current=False).count() == len(ROWS)
    assert ProcessingResult.objects.current().get(record="shop:2").value == 7.0


def test_only_failed_ones_are_taken_up_again(source):
    save_rules(source, default=7.0)
    run = reprocess(Selection.FAILED)
    assert (run.total, *tally(run)) == (1, 0, 1, 0)
    assert ProcessingResult.objects.of_record("shop:3").count() == 2
    assert ProcessingResult.objects.filter(current=False).count() == 1


def test_only_records_whose_outcome_changes_get_another_result(source):
    version = save_rules(source, default=7.0)
    run = reprocess(Selection.CHANGED)
    assert (run.total, run.done, *tally(run)) == (4, 4, 1, 0, 3)
    (changed,) = ProcessingResult.objects.filter(rule_set=version)
    assert (changed.record_id, changed.value) == ("shop:2", 7.0)
    assert tally(reprocess(Selection.CHANGED)) == (0, 0, 4)


def test_a_record_that_waits_is_not_taken_for_changed(source):
    store.requeue_records(ids=["shop:1"])
    save_rules(source, default=7.0)
    created = processing_runs.create_run(trigger="test", selection=Selection.CHANGED)
    run = work_on(created, WORKER)
    assert run is not None
    assert tally(run) == (1, 0, 2)
    assert DataRecord.objects.get(pk="shop:1").status == "raw"


def test_returning_to_the_former_rules_gives_the_former_digest(source):
    before, former = digest_of_results("shop"), rule_set_for(source).rules
    save_rules(source, default=7.0)
    reprocess(Selection.CHANGED)
    assert digest_of_results("shop") != before
    store.save_rule_set(source=source, rules=former, note="as before")
    assert tally(reprocess(Selection.CHANGED)) == (1, 0, 3)
    assert digest_of_results("shop") == before


def test_a_limit_holds_for_records_that_are_processed_anew(source):
    save_rules(source, default=7.0)
    assert tally(reprocess(Selection.ALL, limit=2)) == (2, 0, 0)


def test_the_command_processes_anew_and_counts_what_stays(source, capsys):
    save_rules(source, default=7.0)
    call_command("process", "--source", "shop", "--reprocess", "changed", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["processed"], told["failed"], told["unchanged"]) == (1, 0, 3)
    call_command("process", "--source", "shop", "--reprocess", "all", "--json")
    assert json.loads(capsys.readouterr().out)["processed"] == 3


@pytest.mark.parametrize("what", ["raw", "everything", ""])
def test_the_command_refuses_what_it_does_not_know(source, what):
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("process", "--reprocess", what)


@pytest.mark.parametrize("what", ["all", "failed", "changed"])
def test_the_page_and_the_api_queue_it(source, admin_client, what):
    page = admin_client.get("/sources/shop/").content.decode()
    assert f'<option value="{what}">' in page
    asked = {"source": "shop", "reprocess": what}
    admin_client.post("/process/start/", asked)
    by_page = ProcessingRun.objects.latest("pk")
    answer = admin_client.post("/process", asked, content_type="application/json")
    by_api = ProcessingRun.objects.get(pk=answer.json()["run"])
    for run in (by_page, by_api):
        assert (run.selection, run.source, run.state) == (what, source, RunState.QUEUED)
    assert by_page.get_selection_display() in admin_client.get(by_page.get_absolute_url()).text


def test_other_wishes_are_refused(source, admin_client):
    before = ProcessingRun.objects.count()
    assert admin_client.post("/process/start/", {"reprocess": "some\0"}).status_code == 400
    answer = admin_client.post("/process", {"reprocess": "raw"}, content_type="application/json")
    assert answer.status_code == 400
    assert ProcessingRun.objects.count() == before
