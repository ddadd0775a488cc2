"""`manage.py columns`, and what calls workers for the column store."""

import errno

import pytest
from django.core.management import CommandError, call_command

from dataflow_site.tasks import fold_columns, tend_columns
from explore.columns import folding
from processing.jobs.process import create_run
from records import store
from records.jobs.runner import work_on
from records.models import ColumnChange, ColumnSegment, DataRecord
from tests.factories import WORKER
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def columns(capsys, *arguments: str) -> str:
    call_command("columns", *arguments)
    printed: str = capsys.readouterr().out
    return printed


def test_it_folds_what_has_changed(capsys):
    land("shop", {"1": sale(1), "2": sale(2)})
    land("other", {"1": sale(1)})
    assert "up to date: 1 records in 1 files" in columns(capsys, "--source", "other")
    assert ColumnChange.objects.get().source == "shop"
    assert "up to date: 3 records in 2 files" in columns(capsys)
    assert "up to date: 3 records in 2 files" in columns(capsys, "--check")


def test_a_check_finds_what_is_wrong_and_rebuilding_mends_it(capsys, monkeypatch):
    monkeypatch.setattr(folding, "TARGET", 2)
    land("shop", {str(number): sale(number) for number in range(1, 7)})
    process_all()
    folding.fold()
    # Past the store, which would note it.
    DataRecord.objects.filter(pk="shop:3").update(version=9)
    DataRecord.objects.filter(pk="shop:6").delete()
    with pytest.raises(CommandError, match="use --rebuild"):
        columns(capsys, "--check")
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["shop, shop:2\x01 to shop:4: 2 rows differ".replace("\x01", ""),
                       "shop, shop:4 to shop:6: 1 rows differ"]  # fmt: skip
    columns(capsys, "--rebuild", "--source", "shop")
    assert "up to date: 5 records" in columns(capsys, "--check")


def test_a_check_knows_what_is_yet_to_be_folded(capsys):
    land("shop", {str(number): sale(number) for number in range(1, 7)})
    folding.fold()
    store.edit_record(record_id="shop:3", data=sale(9), user=None)
    store.delete_records(ids=["shop:1"])
    land("shop", {"7": sale(7)})
    process_all()
    columns(capsys, "--check")


def test_a_check_finds_files_that_are_lost(capsys, folder):
    land("shop", {"1": sale(1)})
    folding.fold()
    next(folder.glob("*.parquet")).unlink()
    with pytest.raises(CommandError):
        columns(capsys, "--check")
    assert "lost or damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--check", "--rebuild"], ["--source", "none"], ["--source", "a\0b"]]
)
def test_what_it_cannot_do_it_says(capsys, arguments):
    with pytest.raises(CommandError):
        columns(capsys, *arguments)


def test_a_worker_is_called_when_no_run_comes_first(monkeypatch):
    called = []
    monkeypatch.setattr(
        "dataflow_site.tasks.async_task", lambda task, **options: called.append(task)
    )
    monkeypatch.setattr(folding, "FEW", 1)
    tend_columns()
    land("shop", {"1": sale(1)})
    run = create_run(trigger="test")
    tend_columns()
    assert called == []
    work_on(run, WORKER)
    tend_columns()
    tend_columns()
    assert called == ["dataflow_site.tasks.fold_columns"]
    fold_columns()
    assert ColumnSegment.objects.get().records == 1
    assert len(called) == 1


def test_it_names_its_files(capsys, folder):
    land("shop", {"1": sale(1)})
    folding.fold()
    assert columns(capsys, "--files") == f"{next(folder.glob('*.parquet'))}\n"
    assert columns(capsys, "--source", "shop", "--files").endswith(".parquet\n")


def test_a_full_disk_is_one_line_in_the_log(monkeypatch, caplog):
    def full(**options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folding, "fold", full)
    fold_columns()
    assert caplog.messages == ["The column store can't be updated: The disk is full."]
