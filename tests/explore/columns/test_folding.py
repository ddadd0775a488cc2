"""Segments: whatever happens to records, and however folding ends, a snapshot is what there is."""

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.columns import files, folding, snapshot
from explore.columns.snapshot import snapshot as taken
from ingestion.errors import CannotRekey
from ingestion.loading import rekey
from processing.jobs import process as processing_runs
from records import store
from records.jobs.runner import work_on
from records.models import ColumnChange, ColumnFold, ColumnSegment, Selection, Source
from tests.explore.columns.plain import assert_whole, snapshot_rows
from tests.factories import WORKER, Died, load
from tests.landed import land, process_all, sale
from tests.mixtures import ROWS, STEP, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(monkeypatch):
    """Segments of four records."""
    monkeypatch.setattr(folding, "TARGET", 4)


def segments() -> list[tuple[str, str, int]]:
    found = ColumnSegment.objects.filter(replaced_at=None)
    return list(found.values_list("first", "last", "records"))


def parquet(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def test_what_landed_is_folded_and_then_read_from_files(monkeypatch):
    land("shop", {str(number): sale(number) for number in range(3)})
    process_all()
    folding.fold()
    assert segments() == [("shop:0", "shop:2", 3)]
    assert not ColumnChange.objects.exists()
    assert ColumnFold.objects.get().source == "shop"
    assert_whole("shop")
    # Nothing is read from the database any more.
    monkeypatch.setattr(snapshot, "stage", None)
    with taken(sources=["shop"]) as found:
        assert len(snapshot_rows(found)) == 3


def test_changes_are_seen_before_and_after_they_are_folded(small):
    land("shop", {str(number): sale(number) for number in range(1, 9)})
    process_all()
    folding.fold()
    assert segments() == [("shop:1", "shop:4", 4), ("shop:5", "shop:8", 4)]
    store.edit_record(record_id="shop:2", data=sale(7, more="x"), user=None)
    store.delete_records(ids=["shop:6"])
    store.requeue_records(ids=["shop:1"])
    land("shop", {"91": sale(1), "0": sale(2)})
    assert_whole("shop")
    folding.fold()
    assert_whole("shop")
    process_all()
    assert_whole("shop")
    folding.fold()
    assert_whole("shop")


def test_only_segments_with_changes_are_rewritten(small):
    land("shop", {str(number): sale(number) for number in range(1, 9)})
    folding.fold()
    first, second = ColumnSegment.objects.order_by("first")
    store.edit_record(record_id="shop:2", data=sale(7), user=None)
    folding.fold()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.replaced_at is not None
    assert second.replaced_at is None
    land("shop", {"9": sale(9)})
    folding.fold()
    second.refresh_from_db()
    assert second.replaced_at is None


def test_small_segments_become_one(small):
    land("shop", {str(number): sale(number) for number in range(1, 9)})
    folding.fold()
    store.delete_records(ids=[f"shop:{number}" for number in (1, 2, 3, 6, 7)])
    folding.fold()
    folding.fold(sources=["shop"])
    land("other", {"1": sale(1)})
    store.edit_record(record_id="shop:4", data=sale(7), user=None)
    folding.fold()
    assert ("shop:4", "shop:8", 3) in segments()
    assert_whole("shop")


def test_a_source_without_records_has_no_segments():
    land("shop", {"1": sale(1)})
    folding.fold()
    store.delete_records(ids=["shop:1"])
    folding.fold()
    assert segments() == []
    assert_whole("shop")


def test_columns_and_types_of_segments_differ(small):
    land("shop", {str(number): sale(number) for number in range(1, 5)})
    process_all()
    folding.fold()
    land("shop", {"5": {"id": "5", "Value": "x", "value": "9"}, "6": {"é": "1"}})
    process_all()
    folding.fold()
    assert_whole("shop")
    store.edit_record(record_id="shop:1", data={"VALUE": "1", "value": "2"}, user=None)
    assert_whole("shop")
    folding.fold()
    assert_whole("shop")


@pytest.mark.parametrize("damage", ["lost", "cut", "changed"])
def test_a_damaged_file_is_noticed_and_made_again(
    folder, small, damage, monkeypatch, django_capture_on_commit_callbacks
):
    land("shop", {str(number): sale(number) for number in range(1, 9)})
    process_all()
    folding.fold()
    path = parquet(folder)[0]
    content = path.read_bytes()
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else content[:-9] + b"x" + content[-8:])
        os.utime(path, (1, 1))
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            assert_whole("shop")
    assert ColumnChange.objects.count() == 1
    folding.fold()
    assert not ColumnChange.objects.exists()
    assert all(map(files.found, ColumnSegment.objects.filter(replaced_at=None).values_list(
        "digest", flat=True)))  # fmt: skip
    monkeypatch.setattr(snapshot, "stage", None)
    with taken(sources=["shop"]) as found:
        assert len(snapshot_rows(found)) == 8


def test_where_too_much_has_changed_records_are_those_of_the_last_fold(monkeypatch):
    land("shop", {"1": sale(1)})
    run = process_all()
    folding.fold()
    monkeypatch.setattr(snapshot, "MOST_CHANGED", 1)
    land("shop", {"2": sale(2), "3": sale(3)})
    land("new", {"1": sale(1), "2": sale(2)})
    with taken(sources=["shop", "new"]) as found:
        assert set(snapshot_rows(found)) == {"shop:1"}
        new, shop = found.as_of.behind
    assert (shop.source, shop.processing_run) == ("shop", run.pk)
    assert shop.moment == ColumnFold.objects.get().moment
    assert (new.source, new.moment) == ("new", None)
    with taken(sources=["shop", "new"], is_patient=True) as found:
        assert found.as_of.is_current
        assert len(snapshot_rows(found)) == 5


def test_files_that_nobody_reads_any_more_are_deleted(folder, monkeypatch):
    land("shop", {"1": sale(1)})
    folding.fold()
    store.edit_record(record_id="shop:1", data=sale(2), user=None)
    (folder / "left.new").write_text("")
    (folder / "notes.txt").write_text("")
    folding.fold()
    # Others may be reading what was just replaced, or writing.
    assert len(parquet(folder)) == 2
    monkeypatch.setattr(folding, "KEEP", -folding.KEEP)
    monkeypatch.setattr(files, "LEFT_AFTER", -files.LEFT_AFTER)
    folding.fold()
    assert len(parquet(folder)) == 1
    assert not (folder / "left.new").exists()
    assert (folder / "notes.txt").exists()
    assert_whole("shop")


def test_a_fold_that_another_one_has_overtaken_changes_nothing(monkeypatch):
    land("shop", {"1": sale(1), "2": sale(2)})
    swap = folding._swap

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(folding, "_swap", swap)
        folding._fold("shop")
        swap(*arguments)

    monkeypatch.setattr(folding, "_swap", late)
    folding._fold("shop")
    assert segments() == [("shop:1", "shop:2", 2)]
    assert_whole("shop")


def test_few_changes_wait_for_more():
    land("shop", {"1": sale(1)})
    assert not folding.is_unattended()
    folding.fold(seconds=5)
    assert segments() == []
    ColumnChange.objects.update(noted_at="2026-01-01T00:00Z")
    assert folding.is_unattended()
    assert not folding.is_unattended()
    folding.fold(seconds=5)
    assert segments() == [("shop:1", "shop:1", 1)]


MORE = st.one_of(
    STEP,
    st.just(("fold", None)),
    st.tuples(st.just("fold killed"), st.integers(1, 6)),
    st.just(("rebuild", None)),
    st.just(("lose a file", None)),
    st.just(("reprocess", None)),
    st.tuples(st.just("rekey"), st.sampled_from(["id", "value"])),
    st.tuples(st.just("complete file"), ROWS),
)


def do(step: tuple[str, Any], path: Path, folder: Path) -> None:
    kind, argument = step
    if kind == "fold":
        folding.fold()
    elif kind == "rebuild":
        folding.rebuild(source="s")
    elif kind == "fold killed":
        killed(argument)
    elif kind == "lose a file":
        if found := parquet(folder):
            found[0].unlink()
    elif kind == "reprocess" and Source.objects.filter(name="s").exists():
        work_on(
            processing_runs.create_run(trigger="test", source_name="s", selection=Selection.ALL),
            WORKER,
        )
    elif kind == "rekey" and Source.objects.filter(name="s").exists():
        try:
            run = rekey.create_rekey(
                source=Source.objects.get(name="s"), columns=[argument], trigger="test"
            )
        except CannotRekey:
            return
        work_on(run, WORKER)
    elif kind == "complete file":
        rows = "".join(f"{key},{day},{value}\n" for key, day, value in argument)
        path.write_text(f"id,date,value\n{rows}")
        run = load(path, "s", id=["id"], timestamp=["date"], value=["value"])
        Source.objects.filter(name="s").update(is_snapshot=argument[0][0] % 2 == 0)
    elif kind not in ("reprocess", "rekey"):
        take(step, path)


def killed(at: int) -> None:
    """A fold that ends at one of its steps."""
    steps = iter(range(1, 100))

    def step(function: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            if next(steps) == at:
                raise Died
            return function(*arguments, **options)

        return called

    with pytest.MonkeyPatch.context() as patched:
        for module, name in [
            (folding, "stage"),
            (files, "keep"),
            (folding, "_swap"),
            (ColumnFold.objects, "update_or_create"),
        ]:
            patched.setattr(module, name, step(getattr(module, name)))
        with contextlib.suppress(Died):
            folding.fold()


@settings(max_examples=60)
@given(steps=st.lists(MORE, max_size=14))
def test_after_any_mixture_of_work_and_folds_a_snapshot_is_what_there_is(
    db, tmp_path, folder, steps
):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(folding, "TARGET", 3)
        for step in steps:
            do(step, tmp_path / "s.csv", folder)
            assert_whole("s")
        transaction.set_rollback(True)
