"""Numbers are read as the whole column says, or it is asked, or told what can't be read."""

from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from ingestion.loading import runs
from ingestion.parsing import preparation
from records import store
from records.jobs.runner import work_on
from records.models import IngestionRun, ProcessingResult, Source
from records.notes import is_warning
from tests.factories import WORKER, Died, load, process

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded(tmp_path):
    """Loads rows of an id and an amount, tells the run and the values that come of it."""

    def load_rows(amounts: list[str], **options: Any) -> tuple[IngestionRun, list[float | None]]:
        path = tmp_path / "shop.csv"
        rows = "".join(f"{place};{cell}\n" for place, cell in enumerate(amounts, start=1))
        path.write_text(f"id;amount\n{rows}")
        run = runs.create_run(path=path, file_name=path.name, trigger="test", **options)
        done = work_on(run, WORKER)
        assert done is not None
        process()
        results = ProcessingResult.objects.filter(current=True).order_by("record__line")
        return done, list(results.values_list("value", flat=True))

    return load_rows


def styles() -> dict[str, Any]:
    return Source.objects.get(name="shop").mapping.get("numbers", {})


def test_default_rules_read_by_the_style_of_the_column(loaded):
    run, values = loaded(["1.234,50-", "2,00", "-3,5"])
    assert (run.error, values) == ("", [-1234.5, 2.0, -3.5])
    assert styles() == {"amount": {"decimal": ",", "thousands": ".", "variants": True}}
    assert "The numbers in 'amount' are read as 1.234,56, negative with" in run.notes[0]
    assert run.value_cells["unread"] == 0


def test_plain_numbers_need_no_word(loaded):
    run, values = loaded(["1.5", "-2"])
    assert (run.notes, values, styles()) == ([], [1.5, -2.0], {})


def test_numbers_that_can_be_read_in_two_ways_are_asked(loaded):
    run, values = loaded(["1,234", "5,678"])
    assert (run.state, run.read, values) == ("failed", 0, [])
    assert "'1,234' is 1.234 as 1234,56, but 1234 as 1,234.56" in run.error
    assert "--number-format '1,234.56'" in run.error
    run, values = loaded(["1,234", "5,678"], number_format="1,234.56")
    assert (run.state, values) == ("finished", [1234.0, 5678.0])
    assert styles() == {"amount": {"thousands": ","}}


def test_a_format_that_is_given_is_kept_though_it_is_the_usual_one(loaded):
    run, values = loaded(["1.234", "5.678"], number_format="1234.56")
    assert (run.notes, values, styles()) == ([], [1.234, 5.678], {"amount": {}})


def test_what_a_given_format_leaves_open_the_cells_tell(loaded):
    _, values = loaded(["1,234", "(5,678)"], number_format="1234.56")
    assert (values, styles()["amount"]["thousands"]) == ([1234.0, -5678.0], ",")


def test_later_files_are_read_alike_and_may_add_to_the_style(loaded):
    loaded(["1,5", "2,5"])
    assert styles() == {"amount": {"decimal": ","}}
    run, values = loaded(["1.234,5", "2,5 \u20ac"])
    assert values == [1234.5, 2.5]
    assert styles() == {"amount": {"decimal": ",", "thousands": ".", "currency": ["\u20ac"]}}
    assert "are now read as 1.234,56, with \u20ac" in run.notes[0]


def test_a_later_file_in_another_style_is_not_read_quietly(loaded):
    loaded(["1,5", "2,5"])
    run, values = loaded(["1.5", "2.5"])
    assert (values, run.value_cells["unread"]) == ([0.0, 0.0], 2)
    assert (
        "2 of 2 values in 'amount' can't be read as numbers, such as '1.5' in line 2"
        in (run.notes[0])
    )


def test_rules_of_a_person_say_what_can_be_read(loaded):
    loaded(["1.5"])
    rules = [{"rule": "number", "column": "amount", "decimal": ","}]
    store.save_rule_set(source=Source.objects.get(), rules=rules)
    run, values = loaded(["2,5", "3.5"])
    assert (values, styles()) == ([2.5, 0.0], {})
    assert run.value_cells["examples"] == [[3, "3.5"]]


def test_a_format_without_a_value_column_is_ignored_and_that_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name\nx\n")
    run = runs.create_run(path=path, file_name="a.csv", trigger="test", number_format="1,234.56")
    done = work_on(run, WORKER)
    assert done is not None
    assert "The number format was ignored: no value column is mapped." in done.notes


def test_the_command_says_in_red_that_too_much_is_unread(tmp_path, capsys):
    path = tmp_path / "shop.csv"
    path.write_text("id,amount\n1,1.5\n2,bad\n")
    call_command("ingest", str(path), "--force-color")
    lines = capsys.readouterr().out.splitlines()
    assert (
        "1 of 2 values in 'amount' can't be read as numbers, such as 'bad' in line 3." in lines[1]
    )
    assert "50.0 % of the values in 'amount' can't be read. Set the number format" in lines[2]
    assert "\x1b[31" in lines[2]


def test_the_command_refuses_an_unknown_format(tmp_path):
    with pytest.raises(CommandError, match="is not a valid number format"):
        call_command("ingest", str(tmp_path), "--number-format", "x")


def test_all_cells_are_seen_however_small_the_batches(tmp_path, settings):
    settings.BATCH_ROWS = 2
    path = tmp_path / "shop.csv"
    path.write_text("id,amount\n" + "".join(f"{n},bad\n" for n in range(7)))
    assert load(path, value=["amount"]).value_cells["unread"] == 7


PLAIN_FIRST = ["1.5", "2.25", "3.75"]


@pytest.fixture
def few_first_rows(monkeypatch):
    """The columns are mapped by the first three rows."""
    monkeypatch.setattr(preparation, "SAMPLE_ROWS", len(PLAIN_FIRST))


def test_a_style_that_begins_below_plain_first_rows_is_found_while_they_are_loaded(
    loaded, few_first_rows
):
    run, values = loaded([*PLAIN_FIRST, "1,234.50", "(2.00)", "50%", "4.00"])
    assert values == [1.5, 2.25, 3.75, 1234.5, -2.0, 0.5, 4.0]
    assert styles() == {"amount": {"thousands": ",", "percent": True, "variants": True}}
    assert "The numbers in 'amount' are read as 1,234.56, 12% as 0.12" in run.notes[0]
    assert "1 of 7 numbers have a percent sign" in run.notes[1]
    assert run.value_cells["unread"] == 0


def test_all_rows_outvote_plain_first_ones(loaded, few_first_rows):
    run, values = loaded([*PLAIN_FIRST, *(f"1.{n},50" for n in range(234, 634))])
    assert (values[-1], run.value_cells["unread"]) == (1633.5, 3)
    assert styles() == {"amount": {"decimal": ",", "thousands": "."}}


def test_a_doubt_that_begins_below_the_first_rows_is_a_warning(loaded, few_first_rows):
    run, values = loaded([*PLAIN_FIRST, *(f"{n}.234" for n in range(1, 400)), "5000"])
    assert values[3] == 1.234
    (note,) = filter(is_warning, run.notes)
    assert "'1.234' is 1.234 as 1234.56, by which they are read, but 1234 as 1.234,56" in note


def test_a_run_that_goes_on_tells_the_style_from_all_rows(tmp_path, few_first_rows, settings):
    settings.BATCH_ROWS = 2
    path = tmp_path / "shop.csv"
    cells = [*PLAIN_FIRST, *(f"1.{n},50" for n in range(234, 254))]
    path.write_text("id;amount\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(cells)))
    run = runs.create_run(path=path, file_name=path.name, trigger="test")
    with patch.object(store, "land", side_effect=Died), pytest.raises(Died):
        work_on(run, "another worker")
    IngestionRun.objects.filter(pk=run.pk).update(lease_until=run.created_at)
    done = work_on(run, WORKER)
    assert done is not None
    assert (done.read, done.value_cells["unread"]) == (23, 3)
    assert styles() == {"amount": {"decimal": ",", "thousands": "."}}


def test_debit_and_credit_in_two_columns_are_told(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("id;debit;credit\n1;-12,50;\n2;;2.500,00\n3;-3,99;\n")
    (note,) = [note for note in load(path).notes if "complement" in note]
    assert note.startswith("'debit' and 'credit' complement each other: exactly one is filled")
