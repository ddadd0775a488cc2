"""The digest of what results say."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from processing.jobs import process as processing_runs
from records import store
from records.digests import SourceDigest, digest_of_results
from records.jobs.runner import work_on
from records.models import ProcessingResult, Selection, Source
from tests.factories import WORKER
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

ROWS = {"1": sale(1), "2": sale(2, value="n/a"), "3": sale(3, value=""), "4": sale(4, note="ä")}
NUMBER = {"rule": "number", "column": "value", "default": 0.0}
STAMP: dict[str, Any] = {"rule": "stamp", "column": "at"}


@pytest.fixture
def shop() -> Source:
    land("shop", ROWS)
    process_all()
    return Source.objects.get(name="shop")


def made_again(shop: Source, *rules: dict[str, Any]) -> SourceDigest:
    """The digest after all records have been processed by these rules."""
    store.save_rule_set(source=shop, rules=list(rules))
    run = processing_runs.create_run(trigger="test", source_name="shop", selection=Selection.ALL)
    work_on(run, WORKER)
    return digest_of_results("shop")


def test_it_is_not_of_moments_runs_and_versions(shop):
    before = digest_of_results("shop")
    assert (len(before.digest), before.records) == (64, 4)
    assert made_again(shop, *shop.current_rule_set.rules) == before
    assert ProcessingResult.objects.filter(current=False).count() == 4


def test_moments_are_known_under_whatever_name_they_get(shop):
    rename = {"rule": "rename", "column": "at", "to": "done at"}
    first = made_again(shop, STAMP, rename, {**STAMP, "column": "since", "off": True})
    assert made_again(shop, STAMP, rename) == first
    assert made_again(shop, STAMP) != first
    assert made_again(shop, {"rule": "rename", "column": "note", "to": "at"}) != first


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("success", False),
        ("processed_data", {"id": "1"}),
        ("error_message", "No."),
        ("errors", [{"rule": "r"}]),
        ("repairs", [{"rule": "r"}]),
        ("value", 7.5),
        ("category", "other"),
        ("repaired", True),
        ("anomaly", "Far."),
    ],
)
def test_it_is_of_all_that_a_result_says(shop, column, value):
    before = digest_of_results("shop")
    ProcessingResult.objects.filter(record="shop:1").update(**{column: value})
    assert digest_of_results("shop") != before


def test_it_is_of_which_record_says_what_and_of_no_other_source(shop):
    before = digest_of_results("shop")
    land("another", ROWS)
    process_all()
    assert digest_of_results("shop") == before
    assert digest_of_results("another").digest != before.digest
    assert digest_of_results("none") == SourceDigest("0" * 64, 0)


def test_the_command_prints_it(shop, capsys):
    call_command("digest", "--source", "shop", "--results")
    found = digest_of_results("shop")
    assert capsys.readouterr().out == f"{found.digest} 4\n"
    with pytest.raises(CommandError, match="There is no source"):
        call_command("digest", "--source", "none", "--results")
