"""Values that could not be read are counted, exactly, whatever happens to their records."""

import pytest

from ingestion.loading import undo
from records import store
from records.jobs.runner import work_on
from records.models import IngestionRun, ProcessingResult, ProcessingRun, Selection, ValueCount
from tests.factories import WORKER, load, process

pytestmark = pytest.mark.django_db


def values() -> tuple[int, int]:
    """How many values source "shop" has, and how many of them are unread; both counted right."""
    assert store.check_counts() == []
    found = ValueCount.objects.filter(source="shop").first()
    return (found.filled, found.unread) if found else (0, 0)


def reprocess(selection: Selection) -> None:
    run = ProcessingRun.objects.create(trigger="test", selection=selection)
    assert work_on(run, WORKER) is not None


@pytest.fixture
def shop(tmp_path) -> IngestionRun:
    """Four records: two with values that are numbers, one that is none, and one without."""
    file = tmp_path / "shop.csv"
    file.write_text("id,amount\n1,1.5\n2,bad\n3,2.5\n4,\n")
    run = load(file)
    process()
    return run


def test_a_value_that_can_not_be_read_is_counted_with_its_run(shop):
    assert values() == (3, 1)
    unread = ProcessingResult.objects.get(unread=True)
    assert (unread.record_id, unread.value, unread.repaired) == ("shop:2", 0.0, True)
    run = ProcessingRun.objects.get(filled__gt=0)
    assert (run.filled, run.unread) == (3, 1)


@pytest.mark.parametrize("selection", [Selection.ALL, Selection.CHANGED, Selection.FAILED])
def test_reprocessing_counts_nothing_twice(shop, selection):
    reprocess(selection)
    assert values() == (3, 1)
    rules = [{"rule": "number", "column": "amount", "on_failure": "empty"}]
    store.save_rule_set(source=shop.source, rules=rules, note="empty")
    reprocess(selection)
    assert values() == (3, 1)
    store.save_rule_set(source=shop.source, rules=[], note="none")
    reprocess(selection)
    assert values() == ((3, 1) if selection == Selection.FAILED else (0, 0))


def test_what_happens_to_a_record_is_counted(shop, tmp_path):
    store.edit_record(record_id="shop:2", data={"id": "2", "amount": "7"}, user=None)
    assert values() == (2, 0)
    process()
    assert values() == (3, 0)
    store.requeue_records(ids=["shop:1", "shop:2"])
    assert values() == (1, 0)
    process()
    store.delete_records(ids=["shop:1"])
    assert values() == (2, 0)
    file = tmp_path / "shop.csv"
    file.write_text("id,amount\n3,worse\n5,9\n")
    later = load(file)
    assert values() == (1, 0)
    process()
    assert values() == (3, 1)
    undone = undo.create_undo(run=later, trigger="test")
    assert work_on(undone, WORKER) is not None
    assert values() == (1, 0)
    process()
    assert values() == (2, 0)


def test_wrong_counts_are_found_and_repaired(shop):
    ValueCount.objects.update(filled=9, unread=0)
    wrong = {(item.status, item.stored, item.counted) for item in store.check_counts(repair=True)}
    assert wrong == {("filled", 9, 3), ("unread", 0, 1)}
    assert values() == (3, 1)


def test_a_source_that_is_deleted_leaves_no_counts(shop):
    store.delete_records(ids=[f"shop:{number}" for number in range(1, 5)])
    store.delete_source(source=shop.source)
    assert not ValueCount.objects.exists()
