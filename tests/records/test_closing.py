"""Snapshots: a record whose key is missing from a complete file is closed, and reopened later."""

import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.loading import runs as ingestion_runs
from ingestion.loading import undo
from ingestion.loading.dry_runs import examine
from ingestion.loading.load_file import LoadFile
from records import store
from records.digests import digest_of
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    Feed,
    IngestionRun,
    ProcessingResult,
    RecordClosing,
    RecordVersion,
    RunState,
    SnapshotKey,
    Source,
    ValueCount,
)
from tests.factories import WORKER, Died, counted, land, process, recounted, row, running

pytestmark = pytest.mark.django_db
HEADER = "id,when,value"


@pytest.fixture(autouse=True)
def source() -> Source:
    return Source.objects.create(name="s", is_snapshot=True)


@pytest.fixture
def file(tmp_path) -> Path:
    path: Path = tmp_path / "s.csv"
    return path


def prepared(file: Path, *keys: Any, header: str = HEADER, **options: Any) -> IngestionRun:
    """A run of a file with these keys, or whole rows."""
    rows = [str(key) if "," in str(key) else f"{key},2026-01-0{int(key) % 9 + 1},5" for key in keys]
    file.write_text("\n".join([header, *rows]) + "\n")
    return ingestion_runs.create_run(
        path=file, file_name=file.name, trigger="test", source_name="s",
        roles={"id": ["id"], "timestamp": ["when"], "value": ["value"]}, **options,
    )  # fmt: skip


def loaded(file: Path, *keys: Any, **options: Any) -> IngestionRun:
    done = work_on(prepared(file, *keys, **options), WORKER)
    assert done is not None
    assert done.state == "finished", done.error
    return done


def landed(keys: Iterable[str], value: str) -> IngestionRun:
    """A snapshot of these keys, by the functions of the store."""
    run = running("s")
    IngestionRun.objects.filter(pk=run.pk).update(is_snapshot=True)
    run.refresh_from_db()
    land([row(f"s:{key}", {"id": key, "value": value}) for key in keys], run=run)
    while store.close_batch(run=run, worker=WORKER, size=2):
        pass
    leases.finish(run, WORKER)
    return run


def undone(run: IngestionRun) -> Any:
    done = work_on(undo.create_undo(run=run, trigger="test"), WORKER)
    assert done is not None
    assert done.state == "finished", done.error
    return done


def closed() -> dict[str, int | None]:
    records = DataRecord.objects.closed().order_by("id")
    return {record.id[2:]: record.closed_by_id for record in records}


def open_keys() -> str:
    keys = DataRecord.objects.open().order_by("id").values_list("id", flat=True)
    return "".join(key[2:] for key in keys)


def all_is_well() -> bool:
    """Whether all counters say what a full count does, and results stand where they should."""
    current = set(ProcessingResult.objects.current().values_list("record_id", flat=True))
    done = DataRecord.objects.open().exclude(status="raw").values_list("pk", flat=True)
    return counted() == recounted() and not store.check_counts() and current == set(done)


def test_a_missing_record_is_closed_with_all_that_belongs_to_it(file):
    loaded(file, 1, 2, 3)
    loaded(file, 1, "2,2026-01-03,6", 3)
    process("s")
    run = loaded(file, 1, 3, 4)
    ledger = (run.read, run.created, run.updated, run.unchanged, run.rejected)
    assert ledger == (3, 1, 0, 2, 0)
    assert (run.closed, run.reopened) == (1, 0)
    assert closed() == {"2": run.pk}
    assert "Closed records, which are missing from this file: 1." in run.notes
    record = DataRecord.objects.get(pk="s:2")
    assert (record.status, record.version, record.data["value"]) == ("processed", 2, "6")
    assert RecordVersion.objects.filter(record=record).count() == 1
    assert counted() == {("s", "processed"): 2, ("s", "raw"): 1, ("s", "closed"): 1}
    assert all_is_well()
    assert not SnapshotKey.objects.exists()
    # It is not processed, by whatever selection.
    process("s")
    assert ProcessingResult.objects.current().filter(record=record).count() == 0


def test_a_key_that_comes_again_reopens_its_record_with_its_result(file):
    loaded(file, 1, 2, 3)
    process("s")
    before = list(ProcessingResult.objects.current().order_by("pk").values_list("pk", flat=True))
    values = ValueCount.objects.get().filled
    loaded(file, 1)  # two of three: more than half
    assert closed() == {}
    loaded(file, 1, closes_many=True)
    assert set(closed()) == {"2", "3"}
    assert ValueCount.objects.get().filled == values - 2
    run = loaded(file, 1, 2, "3,2026-01-04,7")
    assert (run.unchanged, run.updated, run.reopened, run.closed) == (2, 1, 2, 0)
    assert "Reopened records, which were closed: 2." in run.notes
    assert closed() == {}
    assert all_is_well()
    assert counted() == {("s", "processed"): 2, ("s", "raw"): 1}
    now = ProcessingResult.objects.current().order_by("pk").values_list("pk", flat=True)
    assert list(now) == before[:2]


@pytest.mark.parametrize("policy", ["update", "merge", "keep", "reject"])
def test_a_row_reopens_its_record_whatever_becomes_of_it(file, policy):
    Source.objects.update(on_conflict=policy)
    loaded(file, 1, 2)
    loaded(file, 1)
    assert set(closed()) == {"2"}
    run = loaded(file, 1, "2,2026-01-03,6", "2,2026-01-03,7")
    assert run.reopened == 1
    assert closed() == {}
    assert all_is_well()


def test_a_file_of_a_source_that_is_no_snapshot_closes_nothing_but_reopens(file):
    loaded(file, 1, 2)
    loaded(file, 1)
    run = loaded(file, 2, is_snapshot=False)
    assert (run.closed, run.reopened) == (0, 1)
    assert open_keys() == "12"
    assert Source.objects.get().is_snapshot is False


def test_keys_made_of_content_close_the_former_content(file):
    Source.objects.update(mapping={"id": [], "timestamp": [], "value": [], "category": []})
    for rows in ("a\n1\n2\n3\n", "a\n1\n2\n4\n"):
        file.write_text(rows)
        run = ingestion_runs.create_run(
            path=file, file_name="s.csv", trigger="test", source_name="s"
        )
        done = work_on(run, WORKER)
    assert done is not None
    assert (done.created, done.unchanged, done.closed) == (1, 2, 1)
    assert [record.data["a"] for record in DataRecord.objects.closed()] == ["3"]


class TestItNeverHappensByAccident:
    def test_an_empty_file_closes_nothing_and_says_so(self, file):
        loaded(file, 1, 2)
        run = loaded(file)
        assert (run.read, run.closed) == (0, 0)
        assert open_keys() == "12"
        (note,) = [note for note in run.notes if "not in this file" in note]
        assert note.startswith("Warning: 2 of 2 records are not in this file")
        assert not run.is_snapshot
        assert loaded(file, closes_many=True).closed == 2
        assert all_is_well()

    def test_a_file_of_other_keys_closes_nothing(self, file):
        loaded(file, 1, 2)
        run = loaded(file, 3, 4, 5, 6, 7)
        assert (run.created, run.closed) == (5, 0)

    def test_half_of_the_records_may_be_missing(self, file):
        loaded(file, 1, 2)
        assert loaded(file, 1).closed == 1

    def test_a_row_without_a_key_that_can_be_read_may_be_any(self, file):
        loaded(file, 1, 2, 3)
        run = loaded(file, 1, 2, ",2026-01-01,5")
        assert (run.rejected, run.closed, run.unknown_keys) == (1, 0, 1)
        (note,) = [note for note in run.notes if "no record is closed" in note]
        assert "Rejected rows whose key can't be read: 1." in note

    def test_a_row_that_is_rejected_keeps_its_record_open_if_its_key_can_be_read(self, file):
        Source.objects.update(on_conflict="reject")
        loaded(file, 1, 2, 3)
        run = loaded(file, 1, "2,2026-01-03,other")
        assert (run.rejected, run.closed) == (1, 1)
        assert set(closed()) == {"3"}

    def test_a_row_that_can_not_be_stored_keeps_its_record_open(self, file):
        loaded(file, 1, 2, 3)
        file.write_bytes(f"{HEADER},note\n1,2026-01-02,5,a\n2,2026-01-03,5,\0\n".encode())
        run = ingestion_runs.create_run(
            path=file, file_name="s.csv", trigger="test", source_name="s"
        )
        done = work_on(run, WORKER)
        assert done is not None
        if done.rejected:
            assert (done.closed, done.unknown_keys) == (1, 0)
        assert "2" in open_keys()

    def test_a_run_over_its_reject_limit_closes_nothing(self, file):
        loaded(file, 1, 2, 3)
        run = work_on(prepared(file, 1, 2, ",2026-01-01,5", max_rejects="0"), WORKER)
        assert run is not None
        assert (run.state, run.closed) == (RunState.FAILED, 0)
        assert open_keys() == "123"
        assert not SnapshotKey.objects.exists()

    def test_an_incremental_import_closes_nothing_and_says_so(self, file):
        loaded(file, 1, 2)
        feed = Feed.objects.create(
            source=Source.objects.get(), kind="http",
            config={"url": "http://x.org", "incremental": {"column": "id", "param": "since"}},
        )  # fmt: skip
        run = prepared(file, 1)
        IngestionRun.objects.filter(pk=run.pk).update(feed=feed)
        run.refresh_from_db()
        done = work_on(run, WORKER)
        assert done is not None
        assert done.closed == 0
        assert "No record is closed, as this import is not the whole of its source." in done.notes

    def test_what_another_run_imports_meanwhile_stays(self, file, tmp_path, monkeypatch):
        loaded(file, 1, 2)
        run = prepared(file, 1, 2, 3)
        load_rows = LoadFile.load_rows

        def with_another(job: LoadFile) -> list[str]:
            monkeypatch.setattr(LoadFile, "load_rows", load_rows)
            loaded(tmp_path / "other.csv", 4, is_snapshot=False)
            return load_rows(job)

        monkeypatch.setattr(LoadFile, "load_rows", with_another)
        work_on(run, WORKER)
        assert open_keys() == "1234"


class TestADryRunTells:
    def examined(self, file: Path, *keys: Any) -> dict[str, Any]:
        return examine(prepared(file, *keys, save=False), on_conflict="update", is_snapshot=True)

    def test_how_many_records_would_be_closed_and_reopened(self, file):
        loaded(file, 1, 2, 3, 4)
        loaded(file, 1, 2, 3)
        report = self.examined(file, 1, 1, 2, 4, 9)
        assert report["missing"] == {
            "records": 1, "known": 3, "unknown_keys": 0, "reopened": 1,
        }  # fmt: skip
        assert "Records to be closed, as they are not in this file: 1." in report["notes"]
        assert "Closed records to be reopened: 1." in report["notes"]
        assert open_keys() == "123"

    def test_that_more_than_half_are_missing_and_that_keys_can_not_be_read(self, file):
        loaded(file, 1, 2, 3)
        assert any("2 of 3 records are not" in note for note in self.examined(file, 1)["notes"])
        notes = self.examined(file, 1, ",2026-01-01,5")["notes"]
        assert any("no record is closed" in note for note in notes)

    @settings(max_examples=10, deadline=None)
    @given(st.lists(st.sets(st.sampled_from("1234")), min_size=2, max_size=3))
    def test_what_the_run_then_does(self, tmp_path_factory, files):
        DataRecord.objects.all().delete()
        IngestionRun.objects.all().delete()
        store.check_counts(repair=True)
        file = tmp_path_factory.mktemp("files") / "s.csv"
        for keys in files:
            told = self.examined(file, *sorted(keys))["missing"]
            run = loaded(file, *sorted(keys), closes_many=True)
            assert (run.closed, run.reopened) == (told["records"], told["reopened"])

    def test_the_command_says_it(self, file):
        loaded(file, 1, 2)
        file.write_text(f"{HEADER}\n1,2026-01-02,5\n")
        out = StringIO()
        call_command("ingest", str(file), "--source", "s", "--dry-run", stdout=out)
        assert "Records to be closed, as they are not in this file: 1." in out.getvalue()
        out = StringIO()
        call_command("ingest", str(file), "--source", "s", "--json", stdout=out)
        assert json.loads(out.getvalue())["closed"] == 1


class TestUndo:
    def test_reopens_what_the_run_closed(self, file):
        loaded(file, 1, 2)
        process("s")
        before = digest_of("s")
        run = loaded(file, 1)
        assert digest_of("s") != before
        done = undone(run)
        assert (done.reopened, done.closed) == (1, 0)
        assert digest_of("s") == before
        assert all_is_well()

    def test_closes_again_what_the_run_reopened(self, file):
        loaded(file, 1, 2)
        first = loaded(file, 1)
        run = loaded(file, 1, "2,2026-01-03,8")
        done = undone(run)
        assert (done.closed, done.restored) == (1, 1)
        assert closed() == {"2": first.pk}
        assert all_is_well()

    def test_leaves_closed_what_a_later_snapshot_does_not_have_either(self, file):
        loaded(file, 1, 2)
        second, third = loaded(file, 1), loaded(file, 1, 3)
        assert undone(second).reopened == 0
        assert closed() == {"2": third.pk}
        assert undone(third).reopened == 1
        assert open_keys() == "12"

    def test_leaves_open_what_a_later_snapshot_has(self, file):
        loaded(file, 1, 2)
        second, third, fourth = loaded(file, 1), loaded(file, 1, 2), loaded(file, 1, 2)
        assert undone(third).closed == 0
        assert open_keys() == "12"
        assert undone(fourth).closed == 1
        assert closed() == {"2": second.pk}

    def test_deletes_a_closed_record_that_its_run_created(self, file):
        first = loaded(file, 1, 2)
        loaded(file, 1)
        assert undone(first).deleted == 2
        assert not RecordClosing.objects.exists()
        assert all_is_well()

    @settings(max_examples=30, deadline=None)
    @given(st.data())
    def test_in_any_order_leaves_what_the_other_runs_would_have_made(self, data):
        """The oracle: the last file that stands says which records are open."""
        RecordClosing.objects.all().delete()
        for record in DataRecord.objects.all():
            store.delete_records(ids=[record.pk])
        IngestionRun.objects.all().delete()
        # The first one stays, so that all records do.
        standing = [(landed("1234", "5"), set("1234"))]
        for _ in range(data.draw(st.integers(2, 8))):
            if len(standing) > 1 and data.draw(st.booleans()):
                run, _ = standing.pop(data.draw(st.integers(1, len(standing) - 1)))
                undone(run)
            else:
                keys = data.draw(st.sets(st.sampled_from("1234")))
                value = data.draw(st.sampled_from("56"))
                standing.append((landed(sorted(keys), value), keys))
                if data.draw(st.booleans()):
                    process("s")
            now = standing[-1][1]
            assert set(open_keys()) == now
            assert set(closed()) == set("1234") - now
            for key, by in closed().items():
                since = next(
                    n + 1
                    for n in reversed(range(len(standing) - 1))
                    if key in standing[n][1] and key not in standing[n + 1][1]
                )
                assert by == standing[since][0].pk
            assert all_is_well()


class TestKilled:
    def test_while_it_closes_it_goes_on_behind_the_last_batch(self, file, monkeypatch):
        loaded(file, *range(1, 10))
        process("s")
        run = prepared(file, 1, 2, 3, 4, 5)
        close_batch = store.close_batch
        batches: list[bool] = []

        def dying(**options: Any) -> bool:
            if len(batches) == 2:
                raise Died
            batches.append(close_batch(**options, size=3))
            return True

        monkeypatch.setattr(store, "close_batch", dying)
        with pytest.raises(Died):
            work_on(run, WORKER)
        run.refresh_from_db()
        assert (run.state, run.closed, run.closing_cursor) == ("running", 1, "s:6")
        assert all_is_well()
        IngestionRun.objects.update(lease_until=run.started_at)
        monkeypatch.setattr(store, "close_batch", close_batch)
        done = work_on(run, "another worker")
        assert done is not None
        assert (done.state, done.read, done.closed) == ("finished", 5, 4)
        assert open_keys() == "12345"
        assert all_is_well()
        assert not SnapshotKey.objects.exists()

    def test_while_it_reads_it_still_knows_the_keys_that_it_has_read(
        self, file, monkeypatch, settings
    ):
        settings.BATCH_ROWS = 2
        loaded(file, 1, 2, 3, 4, 5)
        run = prepared(file, 1, 2, 3, 4)
        land = store.land
        batches: list[int] = []

        def dying(**options: Any) -> Any:
            if batches:
                raise Died
            batches.append(1)
            return land(**options)

        monkeypatch.setattr(store, "land", dying)
        with pytest.raises(Died):
            work_on(run, WORKER)
        run.refresh_from_db()
        assert run.read == 2
        IngestionRun.objects.update(lease_until=run.started_at)
        monkeypatch.setattr(store, "land", land)
        done = work_on(run, "another worker")
        assert done is not None
        assert (done.read, done.closed) == (4, 1)
        assert open_keys() == "1234"
