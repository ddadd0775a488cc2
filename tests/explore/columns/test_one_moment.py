"""Snapshots and folds are of one moment, while others write."""

import threading
from typing import Any

import pytest
from django.db import connection

from explore.columns import folding, snapshot, staging
from explore.columns.snapshot import snapshot as taken
from records import store
from records.models import ColumnChange, ColumnSegment
from tests.explore.columns.plain import assert_whole, snapshot_rows
from tests.landed import land, sale

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _writers(db):
    if connection.vendor == "sqlite":
        pytest.skip("In memory, SQLite lets nobody write while others read.")


def elsewhere(work: Any) -> None:
    """Do something in a transaction on another connection."""
    failed: list[Exception] = []

    def do() -> None:
        try:
            work()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    assert not failed


def change() -> None:
    store.edit_record(record_id="shop:1", data=sale(7), user=None)
    store.delete_records(ids=["shop:2"])
    land("shop", {"3": sale(3)})


@pytest.mark.usefixtures("_writers")
@pytest.mark.parametrize("is_folded", [False, True])
def test_what_is_written_while_it_is_read_is_not_in_a_snapshot(monkeypatch, is_folded):
    land("shop", {"1": sale(1), "2": sale(2)})
    if is_folded:
        folding.fold()
        store.edit_record(record_id="shop:1", data=sale(1, more="x"), user=None)
    stage = staging.stage

    def late(*arguments: Any, **options: Any) -> Any:
        elsewhere(change)
        return stage(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "stage", late)
        with taken(sources=["shop"]) as found:
            rows = snapshot_rows(found)
    assert set(rows) == {"shop:1", "shop:2"}
    assert rows["shop:1"]["data", "value"] == "1.5"
    assert_whole("shop")


@pytest.mark.usefixtures("_writers")
def test_what_is_written_during_a_fold_is_folded_by_the_next_one(monkeypatch):
    land("shop", {"1": sale(1), "2": sale(2)})
    stage = staging.stage

    def late(*arguments: Any, **options: Any) -> Any:
        elsewhere(change)
        return stage(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(folding, "stage", late)
        folding.fold()
    assert ColumnSegment.objects.get().records == 2
    assert ColumnChange.objects.exists()
    assert_whole("shop")
    folding.fold()
    assert not ColumnChange.objects.exists()
    assert_whole("shop")


def test_two_folds_exclude_each_other(monkeypatch):
    land("shop", {"1": sale(1)})
    stage = staging.stage
    found: list[int] = []

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        elsewhere(folding.fold)
        found.append(ColumnSegment.objects.count())
        return stage(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(folding, "stage", meanwhile)
        folding.fold()
    assert found == [0]
    assert ColumnSegment.objects.count() == 1
