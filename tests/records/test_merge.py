"""A source that merges: a row changes the cells that it has, and its record keeps the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ingestion.loading import dry_runs, undo
from ingestion.loading import runs as ingestion_runs
from ingestion.loading.dry_runs import examine
from records import store
from records.digests import digest_of
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RecordVersion, RunState, Source
from tests.factories import WORKER, counted, load, process, recounted

pytestmark = pytest.mark.django_db
LEDGER = ("read", "created", "updated", "unchanged", "rejected")


@pytest.fixture
def source() -> Source:
    return Source.objects.create(name="s", on_conflict="merge")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "s.csv"


def loaded(file: Path, *lines: str, **roles) -> IngestionRun:
    file.write_text("\n".join(lines) + "\n")
    run = load(file, "s", **{"id": ["id"], **roles})
    assert run.state == "finished", run.error
    return run


def ledger(run) -> tuple[int, ...]:
    return tuple(getattr(run, name) for name in LEDGER)


def cells(key: str) -> dict[str, str]:
    data: dict[str, str] = DataRecord.objects.get(pk=f"s:{key}").data
    return data


def forecast(file: Path, on_conflict="merge", **roles) -> dict[str, Any]:
    run = ingestion_runs.create_run(
        path=file, file_name=file.name, trigger="test", source_name="s", roles=roles, save=False
    )
    return examine(run, on_conflict=on_conflict)


def test_a_file_with_fewer_columns_changes_only_those(source, file):
    loaded(file, "id,name,email,value", "1,Ann,ann@x.org,5", "2,Bob,bob@x.org,6", "3,C,c@x.org,7")
    before = digest_of("s")
    run = loaded(file, "id,value", "1,50", "2,6", "4,8")
    assert ledger(run) == (3, 1, 1, 1, 0)
    assert cells("1") == {"id": "1", "name": "Ann", "email": "ann@x.org", "value": "50"}
    assert cells("4") == {"id": "4", "value": "8"}
    version = RecordVersion.objects.get()
    assert (version.record_id, version.data["value"]) == ("s:1", "5")
    again = loaded(file, "value,email,id,name", "6,bob@x.org,2,Bob", "7,c@x.org,3,C")
    assert ledger(again) == (2, 0, 0, 2, 0)
    assert counted() == recounted()
    work_on(undo.create_undo(run=run, trigger="test"), WORKER)
    assert digest_of("s") == before
    assert counted() == recounted()


def test_a_blank_cell_is_a_cell(source, file):
    loaded(file, "id,a,b", "1,x,y")
    loaded(file, "id,a", "1,")
    assert cells("1") == {"id": "1", "a": "", "b": "y"}


def test_rows_of_one_file_are_merged_one_after_the_other(source, file):
    loaded(file, "id,a,b", "1,x,y")
    run = loaded(file, "id,a", "1,1", "2,1", "1,1", "1,2", "2,2")
    assert ledger(run) == (5, 1, 3, 1, 0)
    assert cells("1") == {"id": "1", "a": "2", "b": "y"}
    versions = RecordVersion.objects.filter(record="s:1").order_by("version")
    assert [version.data for version in versions] == [
        {"id": "1", "a": "x", "b": "y"},
        {"id": "1", "a": "1", "b": "y"},
    ]


def test_objects_are_merged_by_their_members(source, tmp_path):
    path = tmp_path / "s.json"
    path.write_text('[{"id": "1", "a": 1.5, "n": null, "l": [1]}]')
    load(path, "s", id=["id"])
    path.write_text('[{"id": "1", "b": true}, {"id": "1", "a": null}, {"id": "1", "l": [2]}]')
    report = forecast(path)
    run = load(path, "s", id=["id"])
    assert ledger(run) == (3, 0, 3, 0, 0) == tuple(report[name] for name in LEDGER)
    assert cells("1") == {"id": "1", "a": None, "n": None, "l": [2], "b": True}


def test_a_file_without_the_date_leaves_the_timestamps(source, file):
    loaded(file, "id,date,value", "1,2025-01-02,5", "2,2025-01-03,6", timestamp=["date"])
    process("s")
    file.write_text("id,value\n1,6\n2,6\n3,7\n")
    report = forecast(file)
    run = loaded(file, "id,value", "1,6", "2,6", "3,7")
    assert ledger(run) == (3, 1, 1, 1, 0) == tuple(report[name] for name in LEDGER)
    moment = DataRecord.objects.get(pk="s:1").timestamp
    assert moment is not None
    assert (moment.day, DataRecord.objects.get(pk="s:3").timestamp) == (2, None)
    assert any("'date'" in note for note in run.notes)
    assert report["notes"] == run.notes
    source.refresh_from_db()
    assert source.mapping["timestamp"] == ["date"]
    assert source.columns == ["id", "date", "value"]
    assert counted() == recounted()
    later = loaded(file, "id,date", "1,2025-02-05")
    assert ledger(later) == (1, 0, 1, 0, 0)
    assert cells("1") == {"id": "1", "date": "2025-02-05", "value": "6"}


def test_a_file_without_the_value_keeps_its_number_format_with_the_source(source, file):
    loaded(file, "id;a;sum", "1;x;1.234,56", "2;y;2.345,67", "3;z;7,5", value=["sum"])
    source.refresh_from_db()
    style = source.mapping["numbers"]
    run = loaded(file, "id;a", "1;X", "4;q")
    assert ledger(run) == (2, 1, 1, 0, 0)
    assert cells("1") == {"id": "1", "a": "X", "sum": "1.234,56"}
    source.refresh_from_db()
    assert (source.mapping["numbers"], source.mapping["value"]) == (style, ["sum"])


def test_a_file_with_half_of_the_timestamp_is_refused(source, file):
    loaded(file, "id,day,time", "1,2025-01-02,10:00", timestamp=["day", "time"])
    file.write_text("id,day\n1,2025-01-03\n")
    run = load(file, "s", id=["id"])
    assert run.state == "failed"
    assert "'time'" in run.error


def test_a_file_without_the_key_or_with_a_wrong_name_is_refused(source, file):
    loaded(file, "id,day,a", "1,2025-01-02,x", timestamp=["day"])
    file.write_text("day,a\n2025-01-03,y\n")
    assert load(file, "s").state == "failed"
    file.write_text("id,a\n1,y\n")
    assert load(file, "s", timestamp=["dya"]).state == "failed"


def test_fewer_columns_are_told_where_the_source_updates(file):
    Source.objects.create(name="s")
    loaded(file, "id,name,email,value", "1,A,a@x,5", "2,B,b@x,6", "3,C,c@x,7")
    file.write_text("id,value\n1,50\n2,6\n4,8\n")
    report = forecast(file, "update")
    run = loaded(file, "id,value", "1,50", "2,6", "4,8")
    assert ledger(run) == (3, 1, 2, 0, 0)
    (note,) = [note for note in run.notes if "lose" in note]
    assert "'email' (2), 'name' (2)" in note
    assert "merge" in note
    assert note in report["notes"]
    assert cells("1") == {"id": "1", "value": "50"}
    # The source's last file had few columns as well: what is lost is told all the same.
    again = loaded(file, "id,value", "3,8")
    assert any("'email' (1), 'name' (1)" in note for note in again.notes)
    assert not any("lose" in note for note in loaded(file, "id,value", "3,9").notes)


def test_a_draft_merges_as_its_preview_says(file, admin_client):
    Source.objects.create(name="s")
    loaded(file, "id,date,name", "1,2025-01-02,Ann", timestamp=["date"])
    file.write_text("id,name\n1,Bob\n")
    run = ingestion_runs.create_run(
        path=file, file_name="s.csv", trigger="upload", source_name="s", state=RunState.DRAFT
    )
    dry_runs.start(run, on_conflict="update")
    url = run.get_absolute_url()
    html = admin_client.get(url).content.decode()
    assert "lose their cells" in html
    settings = {"id": "id", "timestamp": "date", "on_conflict": "merge"}
    admin_client.post(url, settings)
    dry = dry_runs.latest(run)
    assert dry is not None
    done = work_on(dry, WORKER)
    assert done is not None
    assert (done.error, done.report["updated"]) == ("", 1)
    assert done.report["changes"][0]["cells"] == [["name", "Ann", "Bob"]]
    assert "keep their cells" in admin_client.get(url).content.decode()
    admin_client.post(url, {**settings, "do": "load"})
    loaded_run = work_on(run, WORKER)
    assert loaded_run is not None
    assert ledger(loaded_run) == (1, 0, 1, 0, 0)
    assert cells("1") == {"id": "1", "date": "2025-01-02", "name": "Bob"}
    assert Source.objects.get().on_conflict == "merge"


def test_the_command_and_the_api_set_the_policy(file, tmp_path, capsys):
    file.write_text("id,a,b\n1,x,y\n")
    call_command("ingest", str(file), "--source", "s", "--id", "id")
    file.write_text("id,b\n1,z\n")
    capsys.readouterr()
    given = ["ingest", str(file), "--source", "s", "--on-conflict", "merge", "--json"]
    call_command(*given, "--dry-run")
    report = json.loads(capsys.readouterr().out)
    assert report["changes"][0]["cells"] == [["b", "y", "z"]]
    assert Source.objects.get().on_conflict == "update"
    call_command(*given)
    assert cells("1") == {"id": "1", "a": "x", "b": "z"}
    assert Source.objects.get().on_conflict == "merge"
    with pytest.raises(CommandError):
        call_command("ingest", str(file), "--on-conflict", "guess")
    api = APIClient()
    api.force_login(User.objects.create_superuser("admin"))
    url = "/ingest?source=s&on_conflict="
    assert api.post(f"{url}keep", b"id,b\n1,q\n", content_type="text/csv").status_code == 202
    assert Source.objects.get().on_conflict == "keep"
    answer = api.post(f"{url}guess", b"id,b\n1,q\n", content_type="text/csv")
    assert answer.status_code == 400


COLUMNS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
FILES = st.lists(
    st.tuples(
        COLUMNS,
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from("xyz")), min_size=1, max_size=6),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=25)
@given(files=FILES, batch=st.integers(1, 4))
def test_what_merges_predict_and_do_is_what_a_dictionary_does(tmp_path_factory, files, batch):
    store.delete_records(ids=list(DataRecord.objects.values_list("id", flat=True)))
    Source.objects.get_or_create(name="s", on_conflict="merge")
    path = tmp_path_factory.mktemp("merge") / "s.csv"
    expected: dict[str, dict[str, str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.BATCH_ROWS", batch)
        for columns, rows, is_undone in files:
            before_all = dict(expected)
            lines = [f"k,{','.join(columns)}"]
            counts = [0, 0, 0]
            for number, (key, value) in enumerate(rows):
                row = {"k": str(key)} | dict.fromkeys(columns, f"{value}{number % 2}")
                lines.append(",".join(row.values()))
                before = expected.get(str(key))
                after = {**(before or {}), **row}
                counts[0 if before is None else 1 if before != after else 2] += 1
                expected[str(key)] = after
            path.write_text("\n".join(lines) + "\n")
            report = forecast(path, id=["k"])
            run = load(path, "s", id=["k"])
            assert (run.created, run.updated, run.unchanged) == tuple(counts), run.error
            assert [report[name] for name in LEDGER] == [getattr(run, name) for name in LEDGER]
            if is_undone:
                work_on(undo.create_undo(run=run, trigger="test"), WORKER)
                expected = before_all
    assert {r.id[2:]: r.data for r in DataRecord.objects.all()} == expected
    assert counted() == recounted()
