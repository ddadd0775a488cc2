"""The history of a record, as the command tells it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from explore.history import Part, history
from ingestion.loading import undo as ingestion_undo
from processing.jobs import process as processing_runs
from records import store
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingFacts,
    ProcessingResult,
    RuleSet,
    Selection,
    Source,
)
from records.rows import Reject
from tests.factories import WORKER, load, row, running
from tests.factories import land as land_in
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

STAMP = {"rule": "stamp", "column": "processed_timestamp"}


def parts(key: str = "1") -> list[Part]:
    return history(DataRecord.objects.select_related("run").get(pk=f"shop:{key}"))


def kinds(key: str = "1") -> list[str]:
    return [part.kind for part in parts(key)]


def explain(capsys, record_id: str = "shop:1") -> str:
    call_command("explain", record_id)
    return capsys.readouterr().out


def save_rules(*rules: dict[str, Any]) -> RuleSet:
    return store.save_rule_set(source=Source.objects.get(name="shop"), rules=list(rules))


def reprocess() -> None:
    run = processing_runs.create_run(trigger="test", selection=Selection.ALL)
    assert work_on(run, WORKER)


def test_each_rule_that_touched_a_record_is_told_in_order(capsys):
    land("shop", {"1": {"id": "1", "value": "bad", "category": " Toys "}})
    process_all()
    said = explain(capsys)
    places = [
        said.index(words)
        for words in (
            "1. Imported from line 2 of rows.csv",
            '   id = "1"',
            "2. Processed with rules version 1",
            "   Rule 2: Convert 'value' to a number",
            '     value: "bad" -> 0.0, repaired',
            "   Rule 3: Clean text in 'category'",
            '     category: " Toys " -> "toys"',
            "   Rule 4: ",
            "     processed_timestamp: missing -> ",
        )
    ]
    assert places == sorted(places)
    assert "Rule 1" not in said


def test_the_moment_of_processing_is_the_one_of_then():
    land("shop", {"1": sale(1)})
    process_all()
    result = ProcessingResult.objects.get()
    (change,) = parts()[1].steps[-1].changes
    assert change.after == (result.processed_data or {})["processed_timestamp"]


def test_a_failure_tells_the_rule_the_cell_and_the_reason(capsys):
    land("shop", {"1": {"id": "1", "value": " ", "category": "x"}})
    process_all()
    said = explain(capsys)
    assert "2. Failed with rules version 1" in said
    assert '     failed: value is missing (value: " ")' in said
    assert "Data validation failed: 'value' is missing." in said


def test_updates_edits_and_new_rules_are_told_with_what_they_changed(capsys, admin_user):
    land("shop", {"1": sale(1)})
    process_all()
    land("shop", {"1": sale(1, category="Books")})
    process_all()
    store.edit_record(record_id="shop:1", data=sale(1, category="Maps"), user=admin_user)
    process_all()
    save_rules(STAMP)
    reprocess()
    assert kinds() == [
        "read", "processed", "updated", "processed", "edited", "processed", "processed"
    ]  # fmt: skip
    said = explain(capsys)
    assert '   category: "Toys" -> "Books"' in said
    assert "Edited by admin" in said
    assert '   category: "Books" -> "Maps"' in said
    assert '     category: "Maps" -> "maps"' in said
    assert "7. Processed with rules version 2" in said
    assert said.count("Replaced by a newer result.") == 3


def test_an_undo_is_told(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("id,value\n1,1\n")
    load(path)
    process_all()
    path.write_text("id,value\n1,2\n")
    run = load(path)
    work_on(ingestion_undo.create_undo(run=run, trigger="test"), WORKER)
    assert kinds() == ["read", "processed", "updated", "undone", "waits"]
    assert f"ingestion run {run.pk} was undone" in parts()[3].title
    (change,) = parts()[3].changes
    assert (change.column, change.before, change.after) == ("value", "2", "1")


def test_a_row_of_an_api_is_told_by_its_page():
    run = land("shop", {"1": sale(1), "2": sale(2), "3": sale(3)})
    pages = [{"url": "https://api.test/?page=1", "rows": 2}, {"url": "u2", "rows": 3}]
    IngestionRun.objects.filter(pk=run.pk).update(pages=pages)
    assert (
        parts("1")[0].title == "Imported from page 1 of the API, row 2 (https://api.test/?page=1)"
    )
    assert parts("2")[0].title == "Imported from page 2 of the API, row 1 (u2)"


def test_a_row_that_was_held_first_tells_why():
    run = land("shop", {}, rejects=(Reject(7, b"x", "too_few_cells", "It has 1 cell."),))
    replay = running("shop")
    IngestionRun.objects.filter(pk=replay.pk).update(parent=run)
    land_in([row("shop:1", sale(1), line=7)], run=replay)
    run.rejected_rows.update(resolved_by=replay, record_id="shop:1", fixed="1,2")
    (note,) = parts()[0].notes
    assert "at line 7, then repaired: It has 1 cell." in note


def test_facts_of_the_run_are_found_again():
    land("shop", {"1": sale(1), "2": sale(1)})
    save_rules({"rule": "unique", "columns": ["value"]})
    process_all()
    (step,) = parts("2")[1].steps
    assert step.number == 1
    assert "is not unique" in step.errors[0]["message"]
    ProcessingFacts.objects.all().delete()
    (step,) = parts("2")[1].steps
    assert (step.number, step.words) == (None, "unique")


def test_rules_that_are_not_known_any_more_leave_what_the_result_says():
    land("shop", {"1": sale(1, value="bad")})
    process_all()
    RuleSet.objects.update(rules=[{"rule": "of another time"}])
    (step,) = parts()[1].steps
    assert step.number is None
    assert (step.changes[0].before, step.changes[0].after) == ("bad", 0.0)


def test_a_result_without_rules_is_told():
    land("shop", {"1": sale(1)})
    process_all()
    ProcessingResult.objects.update(rule_set=None, run=None)
    assert kinds() == ["read", "processed"]


def test_steps_that_are_switched_off_keep_their_number():
    land("shop", {"1": sale(1)})
    off = {"rule": "drop", "columns": ["id"], "off": True}
    save_rules(off, {"rule": "drop", "columns": ["category"]})
    process_all()
    (step,) = parts()[1].steps
    assert step.number == 2
    assert [(c.column, c.is_there) for c in step.changes] == [("category", False)]


def test_of_a_long_history_the_newest_is_told(monkeypatch):
    monkeypatch.setattr("explore.history.HISTORY", 2)
    land("shop", {"1": sale(1)})
    for number in range(4):
        data = sale(1, note=str(number))
        store.edit_record(record_id="shop:1", data=data, user=None)
    assert kinds() == ["read", "edited", "edited", "waits"]
    assert "earlier versions not shown" in parts()[0].title


def test_results_are_told_of_the_content_that_they_were_made_from():
    land("shop", {"1": sale(1, value="bad")})
    process_all()
    land("shop", {"1": sale(1, value="7")})
    process_all()
    result = ProcessingResult.objects.get(current=True)
    assert result.created_at < timezone.now() + timedelta(minutes=1)
    first, second = (part for part in parts() if part.kind == "processed")
    assert [c.before for s in first.steps for c in s.changes if c.column == "value"] == ["bad"]
    assert [c.before for s in second.steps for c in s.changes if c.column == "value"] == ["7"]


@pytest.mark.parametrize("record_id", ["shop:nothing", "shop:\0", "", "nothing"])
def test_an_unknown_id_is_said_in_a_sentence(record_id):
    with pytest.raises(CommandError, match="There is no record with the ID") as caught:
        call_command("explain", record_id)
    assert caught.value.returncode == 2


def test_control_characters_do_nothing_to_the_terminal(capsys):
    land("shop", {"1": sale(1, note="a\x1b[31mred\u202e")})
    said = explain(capsys)
    assert "\x1b" not in said
    assert "\u202e" not in said
