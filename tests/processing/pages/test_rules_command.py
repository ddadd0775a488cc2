"""`manage.py rules`: print the rules of a source, and switch others on."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from processing.rules.defaults import default_rules
from records.models import RuleSet, Source
from tests.landed import MAPPING

pytestmark = pytest.mark.django_db

TEXT = {"rule": "text", "column": "category", "upper": True}


@pytest.fixture
def shop() -> Source:
    return Source.objects.create(name="shop", mapping=MAPPING)


def rules(*arguments: str) -> str:
    out = StringIO()
    call_command("rules", "--source", "shop", *arguments, stdout=out)
    return out.getvalue()


def draft(folder: Path, steps: Any) -> str:
    path = folder / "draft.json"
    path.write_text(json.dumps(steps))
    return str(path)


def test_what_is_printed_is_what_would_be_in_force_and_nothing_is_saved(shop):
    assert json.loads(rules()) == default_rules(MAPPING)
    assert not RuleSet.objects.exists()


def test_a_draft_is_saved_as_the_next_version_and_a_former_one_taken_up_again(shop, tmp_path):
    path = draft(tmp_path, [TEXT])
    assert "Version 1 is now active" in rules("--save", path, "--note", "Shouted")
    rules("--save", draft(tmp_path, []))
    assert json.loads(rules()) == []
    assert json.loads(rules("--print", "1")) == [TEXT]
    assert "Version 3 is now active" in rules("--back-to", "1")
    assert [(each.rules, each.note) for each in RuleSet.objects.order_by("version")] == [
        ([TEXT], "Shouted"),
        ([], ""),
        ([TEXT], "Back to version 1"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--print", "7"], "The rules of shop have no version 7."),
        (["--back-to", "-1"], "no version -1"),
        (["--back-to", "9" * 30], "no version 9"),
        (["--save", "/nowhere.json"], "/nowhere.json can't be read"),
    ],
)
def test_wrong_usage_is_told(shop, arguments, said):
    with pytest.raises(CommandError, match=said) as caught:
        rules(*arguments)
    assert caught.value.returncode == 2


def test_rules_and_notes_that_are_wrong_are_refused(shop, tmp_path):
    for steps, note, said in (
        ([{**TEXT, "lower": 3}], "", "Rule 1: 'lower' of 'text' must be"),
        ({}, "", "Rules must be a list."),
        ([TEXT], "x" * 501, "500 characters"),
        ([TEXT], "Default rules for the source's mapping", "reserved for default rules"),
    ):
        with pytest.raises(CommandError, match=said):
            rules("--save", draft(tmp_path, steps), "--note", note)
    assert not RuleSet.objects.exists()
