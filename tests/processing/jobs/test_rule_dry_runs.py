"""Dry runs of rules: what is forecast is what happens, and nothing is written."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from processing.errors import InvalidRules
from processing.jobs import process as processing_runs
from processing.jobs.rule_report import examine_rules
from records import store
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    ProcessingFacts,
    ProcessingResult,
    ProcessingRun,
    RuleSet,
    Selection,
    Source,
)
from tests.factories import WORKER
from tests.landed import land, process_all, sale

STAMP = {"rule": "stamp", "column": "processed_timestamp"}
NUMBER = {"rule": "number", "column": "value", "default": 0.0}
TEXT = {"rule": "text", "column": "category", "strip": True, "lower": True}


def reprocess(selection: Selection = Selection.ALL) -> ProcessingRun:
    run = processing_runs.create_run(trigger="test", source_name="shop", selection=selection)
    done = work_on(run, WORKER)
    assert done is not None
    return done


def results() -> dict[str, Any]:
    """The current results by record; the moment of processing is always now."""
    found = {}
    for result in ProcessingResult.objects.filter(current=True):
        processed = dict(result.processed_data or {})
        if "processed_timestamp" in processed:
            processed["processed_timestamp"] = "now"
        found[result.record_id] = (
            result.success, processed, result.errors, result.repairs, result.anomaly,
            result.value, result.category, result.repaired,
        )  # fmt: skip
    return found


def happened(before: dict[str, Any], after: dict[str, Any], run: ProcessingRun) -> dict[str, Any]:
    """What a report says, found out from the results before and after a run."""
    pairs = [(before[key], after[key]) for key in before]
    # repr() tells true from 1; all floats of these tests are stored as they are.
    both = [(old[1], new[1]) for old, new in pairs if old[0] and new[0]]
    waited = [after[key] for key in after.keys() - before.keys()]
    return {
        "source": "shop",
        "records": len(after),
        "processed": run.processed,
        "failed": run.failed,
        "repaired": run.repaired,
        "failing": {
            "newly": sum(old[0] and not new[0] for old, new in pairs),
            "no_longer": sum(new[0] and not old[0] for old, new in pairs),
            "another_reason": sum(
                not new[0] and not old[0] and old[2] != new[2] for old, new in pairs
            ),
        },
        "changed": {
            "records": sum(repr(old) != repr(new) for old, new in pairs),
            "cells": sum(
                repr(old.get(name, b"")) != repr(new.get(name, b""))
                for old, new in both
                for name in old.keys() | new.keys()
            ),
        },
        "anomalies": {
            "total": sum(new[4] is not None for new in after.values()),
            "newly": sum(new[4] is not None and old[4] is None for old, new in pairs),
            "no_longer": sum(old[4] is not None and new[4] is None for old, new in pairs),
        },
        "waiting": {"records": len(waited), "failing": sum(not new[0] for new in waited)},
    }


def forecast(rules: list[dict[str, Any]]) -> dict[str, Any]:
    report = examine_rules(Source.objects.get(name="shop"), rules)
    groups = report.pop("rules")
    assert report.pop("others") is None
    assert report.pop("seconds") >= 0
    assert sum(group["cells"] for group in groups) == report["changed"]["cells"]
    return report


CELLS = st.sampled_from(
    ["", " ", "1.5", "bad", "12", "-3", "1e300", "Toys", " toys ", "TOYS", "x" * 30, "ä"]
)
ROWS = st.lists(
    st.fixed_dictionaries({"value": CELLS, "category": CELLS}, optional={"note": CELLS}),
    min_size=1,
    max_size=12,
)
STEPS = st.sampled_from(
    [
        NUMBER,
        TEXT,
        STAMP,
        {"rule": "required", "columns": ["id", "value"]},
        {"rule": "required", "columns": ["note"]},
        {"rule": "number", "column": "value", "on_failure": "empty"},
        {"rule": "number", "column": "value", "on_failure": "fail"},
        {"rule": "unique", "columns": ["value"]},
        {"rule": "unique", "columns": ["category", "value"], "passes": "none"},
        {"rule": "anomaly", "column": "value", "at_least": 2, "threshold": 1.0},
        {"rule": "rename", "column": "note", "to": "remark"},
        {"rule": "drop", "columns": ["category"]},
        {"rule": "keep", "columns": ["id", "value", "processed_timestamp"]},
        {"rule": "combine", "columns": ["category", "note"], "into": "both"},
        {"rule": "length", "column": "category", "greatest": 5},
        {**TEXT, "off": True},
    ]
)
RULES = st.lists(STEPS, max_size=5)


class TestForecast(HypothesisTestCase):
    @settings(max_examples=40, phases=[Phase.generate], database=None)
    @given(rows=ROWS, late=ROWS, old=RULES, draft=RULES)
    def test_what_is_forecast_is_what_happens(self, rows, late, old, draft):
        keys = [f"{i:03}" for i in range(len(rows) + len(late))]
        sound = {key: {"id": key, **row} for key, row in zip(keys, rows + late, strict=True)}
        land("shop", {key: sound[key] for key in keys[: len(rows)]})
        source = Source.objects.get(name="shop")
        store.save_rule_set(source=source, rules=old)
        process_all()
        land("shop", {key: sound[key] for key in keys[len(rows) :]})
        before = results()
        expected = forecast(draft)
        assert results() == before
        store.save_rule_set(source=source, rules=draft)
        run = reprocess()
        assert expected == happened(before, results(), run)
        # Once it has happened, the same draft would change nothing.
        again = forecast(draft)
        assert again["changed"] == {"records": 0, "cells": 0}
        assert again["failing"] == {"newly": 0, "no_longer": 0, "another_reason": 0}
        assert again["failed"] == expected["failed"]


@pytest.fixture
def shop(db):
    rows = {str(i): sale(i) for i in range(1, 40)}
    rows |= {"bad": sale(77, value="bad"), "none": sale(78, value="")}
    land("shop", rows)
    process_all()
    return Source.objects.get(name="shop")


def group(report: dict[str, Any], rule: str, column: str) -> dict[str, Any]:
    (found,) = [g for g in report["rules"] if (g["rule"], g["column"]) == (rule, column)]
    return found


def test_nothing_is_written(shop):
    def everything() -> list[Any]:
        tables = (DataRecord, ProcessingResult, RuleSet, ProcessingRun, ProcessingFacts)
        return [list(table.objects.order_by("pk").values()) for table in tables]

    before = everything()
    examine_rules(shop, [{"rule": "unique", "columns": ["category"]}, STAMP])
    assert everything() == before


def test_the_rules_in_force_change_nothing(shop, settings):
    settings.BATCH_ROWS = 7
    report = examine_rules(shop, shop.current_rule_set.rules)
    assert report["changed"] == {"records": 0, "cells": 0}
    assert (report["records"], report["failed"], report["repaired"]) == (41, 1, 1)
    assert group(report, "required", "value")["failing"] == 1


def test_numbers_come_back_from_the_database_as_they_were_stored(db):
    values = ["0.30000000000000004", "1e23", "1.7e308", "-1.5e-300", "123456789012345678901"]
    land("shop", {str(i): sale(i, value=value) for i, value in enumerate(values)})
    process_all()
    source = Source.objects.get(name="shop")
    assert examine_rules(source, source.rule_sets.get().rules)["changed"]["records"] == 0


def test_failures_are_told_by_rule_with_examples(shop):
    report = examine_rules(shop, [{**NUMBER, "on_failure": "fail"}, TEXT, STAMP])
    found = group(report, "number", "value")
    assert (found["newly"], found["failing"], report["failing"]["newly"]) == (1, 1, 1)
    (example,) = found["examples"]["newly"]
    assert (example["id"], example["value"]) == ("shop:bad", "bad")
    assert example["message"]
    assert report["failing"]["no_longer"] == 1
    gone = group(report, "required", "value")
    assert gone["no_longer"] == 1
    assert gone["examples"]["no_longer"] == [
        {"id": "shop:none", "value": "", "message": "is missing"}
    ]


def test_cells_are_put_down_to_the_step_that_changes_them(shop):
    rules = shop.current_rule_set.rules
    replace = {"rule": "replace", "column": "category", "table": {"toys": "games"}}
    found = group(examine_rules(shop, [*rules, replace]), "replace", "category")
    assert found["cells"] == 40
    assert found["examples"]["cells"][0] == {"id": "shop:1", "before": "toys", "after": "games"}
    assert len(found["examples"]["cells"]) == 3


def test_cells_that_no_rule_changes_any_more_are_told(shop):
    rules = [step for step in shop.current_rule_set.rules if step["rule"] != "text"]
    found = group(examine_rules(shop, rules), "", "category")
    assert (found["cells"], found["examples"]["cells"][0]["after"]) == (40, "Toys")


def test_a_column_that_is_taken_out_is_a_change(shop):
    rules = [*shop.current_rule_set.rules, {"rule": "drop", "columns": ["category"]}]
    found = group(examine_rules(shop, rules), "drop", "category")
    assert (found["cells"], found["examples"]["cells"][0]["after"]) == (40, None)


def test_records_that_wait_are_counted_on_their_own(shop):
    land("shop", {"w1": sale(1), "w2": sale(2, value="")})
    report = examine_rules(shop, shop.current_rule_set.rules)
    assert report["waiting"] == {"records": 2, "failing": 1}
    assert report["failing"]["newly"] == 0
    assert report["changed"]["records"] == 0
    assert report["failed"] == 2


def test_records_of_other_sources_are_left_out(shop):
    land("shop2", {"1": sale(1)})
    assert examine_rules(shop, [])["records"] == 41


def test_a_source_without_records_has_an_empty_report(db):
    report = examine_rules(Source.objects.create(name="empty"), [STAMP])
    assert (report["records"], report["rules"]) == (0, [])


def test_rules_with_a_mistake_are_refused(shop):
    with pytest.raises(InvalidRules, match="Rule 2"):
        examine_rules(shop, [STAMP, {"rule": "nope"}])


def command(tmp_path, capsys, rules: Any, *arguments: str) -> str:
    path = tmp_path / "draft.json"
    path.write_text(rules if isinstance(rules, str) else json.dumps(rules))
    call_command("rehearse", str(path), "--source", "shop", *arguments)
    return capsys.readouterr().out


def test_the_command_prints_a_report_in_words(shop, tmp_path, capsys):
    said = command(tmp_path, capsys, [{**NUMBER, "on_failure": "fail"}, STAMP])
    assert "1 of 41 records would fail: 1 newly, 1 no longer" in said
    assert "shop:bad: 'bad'" in said
    assert "nothing was saved" in said


def test_the_command_prints_json(shop, tmp_path, capsys):
    report = json.loads(command(tmp_path, capsys, [STAMP], "--json"))
    assert report["records"] == 41


@pytest.mark.parametrize(
    ("rules", "said"),
    [("[", "not valid JSON"), ("{}", "must be a list"), ('[{"rule": "x"}]', "Rule 1")],
)
def test_wrong_rules_are_wrong_usage(shop, tmp_path, capsys, rules, said):
    with pytest.raises(CommandError, match=said) as caught:
        command(tmp_path, capsys, rules)
    assert caught.value.returncode == 2


def test_an_unknown_source_or_file_is_wrong_usage(db, tmp_path):
    for arguments in (["--source", "nope"], ["--source", "a\0b"]):
        with pytest.raises(CommandError, match="There is no source"):
            call_command("rehearse", str(tmp_path / "none.json"), *arguments)
    Source.objects.create(name="shop")
    with pytest.raises(CommandError, match="can't be read"):
        call_command("rehearse", str(tmp_path / "none.json"), "--source", "shop")
