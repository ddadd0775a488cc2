"""Replays: rejected rows become records once they can, each at its line, and never twice."""

import csv
import io
import itertools
from pathlib import Path

import openpyxl
import pytest

from ingestion.errors import CannotReplay, RowError
from ingestion.loading import replay, undo
from ingestion.loading import runs as ingestion_runs
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.readers.single import read_row, split_row, write_row
from records import store
from records.digests import digest_of
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RejectedRow, RunState, Source
from tests.factories import WORKER, counted, load, recounted

pytestmark = pytest.mark.django_db

TABLE = "id,name,value\n1,Ada,1\n,Bob,2\n3,Cy\n4,Dee,4\n"


@pytest.fixture
def held(tmp_path):
    """A finished run with one row without a key (line 3) and one that is too short (line 4)."""
    path = tmp_path / "people.csv"
    path.write_text(TABLE)
    run = load(path, "people", id=["id"])
    assert (run.created, run.rejected) == (2, 2), run.error
    return run


def replayed(run, **options):
    made = replay.create_replay(run=run, trigger="test", **options)
    done = work_on(made, WORKER)
    assert done is not None
    return done


def ledger(run):
    assert run.state == RunState.FINISHED, run.error
    return run.created, run.updated, run.unchanged, run.rejected


def fix(run, line, text):
    store.fix_row(row=run.rejected_rows.get(line=line), text=text)


def data(record_id):
    return DataRecord.objects.get(pk=record_id).data


def given_out(run, tmp_path, change=lambda rows: None):
    """The rejected rows of a run as its page gives them out, as a person changed them."""
    rows = list(csv.DictReader(io.StringIO("".join(replay.repaired_csv(run)), newline="")))
    columns = list(rows[0])
    change(rows)
    path = Path(tmp_path) / "repaired.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_repaired_row_becomes_a_record_that_knows_its_line(held):
    fix(held, 3, "2,Bob,2")
    done = replayed(held)
    assert ledger(done) == (1, 0, 0, 1)
    record = DataRecord.objects.get(pk="people:2")
    assert (record.line, record.run, record.data["name"]) == (3, done, "Bob")
    row = held.rejected_rows.get(line=3)
    assert (row.resolved_by, row.record_id) == (done, "people:2")
    assert counted() == recounted()


def test_a_row_that_is_rejected_again_stays_open_once_with_its_bytes_and_its_repair(held):
    fix(held, 4, "3,Cy,3,more")
    done = replayed(held)
    row = done.rejected_rows.get(line=4)
    assert (bytes(row.raw), row.fixed, row.code) == (b"3,Cy\n", "3,Cy,3,more", "too_many_cells")
    assert sorted(RejectedRow.objects.open().values_list("line", flat=True)) == [3, 4]
    fix(done, 4, "3,Cy,3")
    assert ledger(replayed(held)) == (1, 0, 0, 1)
    assert data("people:3") == {"id": "3", "name": "Cy", "value": "3"}


def test_a_replay_after_a_change_of_the_mapping_takes_the_new_one(held):
    Source.objects.update(mapping=held.source.mapping | {"id": ["name"]})
    assert ledger(replayed(held)) == (1, 0, 0, 1)
    assert data("people:Bob")["value"] == "2"


def test_a_replay_in_another_encoding_reads_what_did_not_fit(tmp_path):
    path = tmp_path / "towns.csv"
    path.write_bytes("id,town\n1,Köln\n".encode() + "2,Gruyère\n".encode("latin-1"))
    run = ingestion_runs.create_run(
        path=path, file_name="towns.csv", trigger="test", reading={"encoding": "utf-8"}
    )
    work_on(run, WORKER)
    run.refresh_from_db()
    assert (run.created, run.rejected) == (1, 1)
    assert ledger(replayed(run)) == (0, 0, 0, 1)
    assert ledger(replayed(run, encoding="latin-1")) == (1, 0, 0, 0)
    assert data("towns:2") == {"id": "2", "town": "Gruyère"}


def test_a_selection_leaves_the_other_rows_open(held):
    row = held.rejected_rows.get(line=3)
    store.fix_row(row=row, text="2,Bob,2")
    assert ledger(replayed(held, selection=[row.pk])) == (1, 0, 0, 0)
    assert [row.line for row in RejectedRow.objects.open()] == [4]


def test_there_is_nothing_to_replay_of_a_run_without_open_rows_or_one_that_is_undone(held):
    fix(held, 3, "2,Bob,2")
    fix(held, 4, "3,Cy,3")
    assert ledger(replayed(held)) == (2, 0, 0, 0)
    with pytest.raises(CannotReplay, match="no open rejected rows"):
        replay.create_replay(run=held, trigger="test")
    work_on(undo.create_undo(run=held, trigger="test"), WORKER)
    held.refresh_from_db()
    with pytest.raises(CannotReplay, match="undone"):
        replay.create_replay(run=held, trigger="test")


def test_an_undone_replay_opens_its_rows_again(held):
    before = digest_of("people")
    fix(held, 3, "2,Bob,2")
    done = replayed(held)
    work_on(undo.create_undo(run=done, trigger="test"), WORKER)
    assert digest_of("people") == before
    assert [row.run for row in RejectedRow.objects.open()] == [held, held]


def test_a_replay_that_was_interrupted_goes_on_with_the_rows_that_are_left(held, settings):
    settings.BATCH_ROWS = 1
    fix(held, 3, "2,Bob,2")
    fix(held, 4, "3,Cy,3")
    made = replay.create_replay(run=held, trigger="test")

    def stop(run):
        raise ConnectionError

    work_on(made, WORKER, stop)
    assert DataRecord.objects.count() == 3
    IngestionRun.objects.filter(pk=made.pk).update(state="queued")
    done = work_on(made, WORKER)
    assert done is not None
    assert ledger(done) == (2, 0, 0, 0)


def test_a_row_of_a_source_without_a_key_is_one_more_record_even_if_it_is_like_another(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("word,number\nred,1\nred,1\nred\nred\n")
    run = load(path, "log", id=[])
    assert (run.created, run.rejected) == (2, 2)
    rows = RejectedRow.objects.filter(run=run)
    rows.update(fixed="red,1")
    assert ledger(replayed(run)) == (2, 0, 0, 0)
    keys = sorted(DataRecord.objects.values_list("id", flat=True))
    assert [key.rpartition("-")[2] for key in keys] == ["1", "2", "3", "4"]
    assert {row.record_id for row in rows.all()} == set(keys[2:])


def repair(rows):
    rows[0]["id"] = "2"
    rows[1]["value"] = "3"


def test_a_repaired_file_lands_in_place_of_the_rejected_rows(held, tmp_path):
    path = given_out(held, tmp_path, repair)
    done = load(path, "people")
    assert ledger(done) == (2, 0, 0, 0)
    assert (done.parent, done.columns) == (held, ["id", "name", "value"])
    assert data("people:3") == {"id": "3", "name": "Cy", "value": "3"}
    assert DataRecord.objects.get(pk="people:2").line == 3
    assert not RejectedRow.objects.open().exists()
    before = digest_of("people")
    assert ledger(load(path, "people")) == (0, 0, 2, 0)
    assert digest_of("people") == before


def test_a_file_that_comes_back_as_it_was_given_out_leaves_all_its_rows_rejected(held, tmp_path):
    path = given_out(held, tmp_path)
    done = load(path, "people")
    assert ledger(done) == (0, 0, 0, 2)
    opened = RejectedRow.objects.open().order_by("line")
    assert [(row.line, row.code) for row in opened] == [(3, "missing_key"), (4, "too_few_cells")]
    assert bytes(opened[1].raw) == b"3,Cy\n"


def test_a_repaired_file_of_a_source_without_a_key_adds_its_rows_once(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("word,number\nred,1\nred\n")
    run = load(path, "log", id=[])
    repaired = given_out(run, tmp_path, lambda rows: rows[0].update(number="1"))
    assert ledger(load(repaired, "log")) == (1, 0, 0, 0)
    assert ledger(load(repaired, "log")) == (0, 0, 1, 0)
    assert DataRecord.objects.count() == 2


def test_a_row_that_is_damaged_in_a_repaired_file_can_be_repaired_again(held, tmp_path):
    path = given_out(held, tmp_path, repair)
    path.write_text(path.read_text().replace("2,Bob,2", "2,Bob,with,commas,2"))
    done = load(path, "people")
    assert ledger(done) == (1, 0, 0, 1)
    (row,) = RejectedRow.objects.open()
    assert (row.line, row.code, row.text) == (3, "too_many_cells", "2,Bob,with,commas,2\n")
    store.fix_row(row=row, text='2,"Bob,with,commas",2')
    assert ledger(replayed(done)) == (1, 0, 0, 0)
    assert data("people:2")["name"] == "Bob,with,commas"


def test_a_repaired_file_is_refused_by_another_source(held, tmp_path):
    done = load(given_out(held, tmp_path, repair), "animals")
    assert done.state == RunState.FAILED
    assert f"rejected rows of run {held.pk}" in done.error
    assert "import it there" in done.error


def test_rows_bad_in_five_ways_become_records_by_file_and_by_hand(tmp_path):
    """10,000 rows with 500 bad ones: half are repaired in the file, half in place."""
    lines = [f"{n},name {n},{n}".encode() for n in range(10_000)]
    for n in range(0, 10_000, 20):
        lines[n] = (
            f",name {n},{n}".encode(),
            f"{n},name {n}".encode(),
            f"{n},name {n},{n},{n}".encode(),
            f'{n},"name" {n},{n}'.encode(),
            f"{n},name\0{n},{n}".encode(),
        )[n // 20 % 5]
    path = tmp_path / "rows.csv"
    path.write_bytes(b"id,name,value\n" + b"\n".join(lines) + b"\n")
    run = load(path, "rows", id=["id"])
    assert (run.read, run.created, run.rejected) == (10_000, 9_500, 500)
    held = RejectedRow.objects.filter(run=run)
    assert len(set(held.values_list("code", flat=True))) == 5

    def repair_half(rows):
        del rows[250:]
        for row in rows:
            n = int(row[f"rejected line (run {run.pk})"]) - 2
            row.update(id=n, name=f"name {n}", value=n)

    done = load(given_out(run, tmp_path, repair_half), "rows")
    assert ledger(done) == (250, 0, 0, 0)
    for row in held.open():
        n = row.line - 2
        store.fix_row(row=row, text=f"{n},name {n},{n}")
    assert ledger(replayed(run)) == (250, 0, 0, 0)
    assert DataRecord.objects.count() == 10_000
    assert all(r.line == int(r.id[5:]) + 2 for r in DataRecord.objects.iterator(1000))
    before = digest_of("rows")
    with pytest.raises(CannotReplay):
        replay.create_replay(run=run, trigger="test")
    assert ledger(load(tmp_path / "repaired.csv", "rows")) == (0, 0, 250, 0)
    assert digest_of("rows") == before
    assert counted() == recounted()


COLUMNS = ["a", "b", "c"]


def test_a_single_row_is_read_as_its_file_was():
    dialect = Dialect(delimiter=";", quote="'", left=1)
    text = write_row(["x;y", "it's", "two\nlines"], dialect=dialect)
    cells = read_row(text, dialect=dialect, columns=COLUMNS)
    assert cells == {"a": "x;y", "b": "it's", "c": "two\nlines"}
    json = Dialect(format=Format.NDJSON)
    assert read_row('{"a": [1]}', dialect=json, columns=COLUMNS) == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "dialect", "code"),
    [
        ("1,2", Dialect(), "too_few_cells"),
        ("1,2,3\n4,5,6", Dialect(), "not_one_row"),
        ("", Dialect(), "not_one_row"),
        ('1,"2,3', Dialect(), "unclosed_quote"),
        ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", Dialect(format=Format.JSON), "no_json"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", Dialect(format=Format.JSON), "nested_too_deeply"),
        ('{"a": 1} {"a": 2}', Dialect(format=Format.NDJSON), "no_json"),
        ('{"a": NaN}', Dialect(format=Format.NDJSON), "no_json"),
        ("{", Dialect(format=Format.JSON), "no_json"),
        ("[1]", Dialect(format=Format.JSON), "not_an_object"),
    ],
)
def test_what_is_not_one_row_is_rejected_with_a_reason(text, dialect, code):
    with pytest.raises(RowError) as caught:
        read_row(text, dialect=dialect, columns=COLUMNS)
    assert caught.value.code == code


def test_what_can_not_be_read_is_split_as_well_as_can_be():
    assert split_row("1,2\n", dialect=Dialect(), columns=COLUMNS) == {"a": "1", "b": "2", "c": ""}
    cells = split_row("1,2,3,4,5,,\n", dialect=Dialect(), columns=COLUMNS)
    assert cells == {"a": "1", "b": "2", "c": "3,4,5"}


@pytest.mark.parametrize("name", ["rows.ndjson", "rows.json"])
def test_a_row_of_json_is_repaired_as_json(tmp_path, name):
    rows = '{"id": "1", "n": 1}', '{"id": "", "n": [2, 5]}'
    joined = "\n".join(rows) if name.endswith("ndjson") else f"[{', '.join(rows)}]"
    path = tmp_path / name
    path.write_text(joined)
    run = load(path, "j", id=["id"])
    assert (run.created, run.rejected) == (1, 1), run.error
    row = run.rejected_rows.get()
    store.fix_row(row=row, text=replay.text_of(row).replace('""', '"2"'))
    assert ledger(replayed(run)) == (1, 0, 0, 0)
    assert data("j:2") == {"id": "2", "n": [2, 5]}


def test_a_row_of_a_workbook_is_repaired_as_csv(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("rows", 0)
    for cells in (["id", "name"], ["1", "Ada"], [None, "Bob, the"]):
        sheet.append(cells)
    book.save(tmp_path / "rows.xlsx")
    run = load(tmp_path / "rows.xlsx", "x", id=["id"])
    assert (run.created, run.rejected) == (1, 1), run.error
    row = run.rejected_rows.get()
    store.fix_row(row=row, text="2" + replay.text_of(row))
    assert ledger(replayed(run)) == (1, 0, 0, 0)
    assert data("x:2") == {"id": "2", "name": "Bob, the"}


def undone(run):
    work_on(undo.create_undo(run=run, trigger="test"), WORKER)
    run.refresh_from_db()
    assert run.state == RunState.UNDONE


def opened():
    """The rejected rows that are open, as (run, line)."""
    return sorted((row.run_id, row.line) for row in RejectedRow.objects.open())


def fixed_by_the_third(held):
    """Three replays of line 4: two reject it again, the third makes a record of it."""
    fix(held, 3, "2,Bob,2")
    first = replayed(held)
    fix(first, 4, "3,Cy,3,more")
    second = replayed(held)
    fix(second, 4, "3,Cy,3")
    return first, second, replayed(held)


def test_a_row_that_a_later_replay_has_fixed_stays_closed_when_an_earlier_one_is_undone(held):
    first, second, third = fixed_by_the_third(held)
    assert opened() == []
    undone(first)
    assert opened() == [(held.pk, 3)]
    row = held.rejected_rows.get(line=4)
    assert row.resolved_by == second
    undone(second)
    row.refresh_from_db()
    assert (row.resolved_by, row.record_id) == (third, "people:3")
    assert opened() == [(held.pk, 3)]
    fix(held, 3, "2,Bob,2")
    again = replayed(held)
    assert (ledger(again), ledger(third)) == ((1, 0, 0, 0), (1, 0, 0, 0))
    undone(third)
    assert opened() == [(held.pk, 4)]
    undone(again)
    assert opened() == [(held.pk, 3), (held.pk, 4)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_replays_that_are_undone_in_any_order_leave_each_row_open_once(held, order):
    before = digest_of("people")
    replays = fixed_by_the_third(held)
    for number in order:
        undone(replays[number])
        lines = [line for _, line in opened()]
        assert len(lines) == len(set(lines))
        is_record = DataRecord.objects.filter(pk="people:3").exists()
        assert (4 in lines) != is_record
    assert opened() == [(held.pk, 3), (held.pk, 4)]
    assert digest_of("people") == before


def test_rows_of_one_line_are_told_apart_by_what_they_say(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("id,name,value\n1,Ada,1\n,Bob,2\n,Cy,3\n,Dee,4\n")
    held = load(path, "people", id=["id"])
    RejectedRow.objects.update(line=0)
    bob, cy, dee = held.rejected_rows.order_by("pk")

    def the_last(rows):
        rows[2]["id"] = "4"

    done = load(given_out(held, tmp_path, the_last), "people")
    assert ledger(done) == (1, 0, 0, 2)
    dee.refresh_from_db()
    assert (dee.resolved_by, dee.record_id) == (done, "people:4")
    again = {row.former: bytes(row.raw) for row in done.rejected_rows.all()}
    assert again == {bob: b",Bob,2\n", cy: b",Cy,3\n"}

    def both(rows):
        rows[0]["id"], rows[1]["id"] = "2", "3"

    assert ledger(load(given_out(held, tmp_path, both), "people")) == (2, 0, 0, 0)
    assert {row.text: row.record_id for row in done.rejected_rows.all()} == {
        ",Bob,2\n": "people:2",
        ",Cy,3\n": "people:3",
    }
    assert opened() == []


def test_of_two_rows_of_one_line_the_one_that_came_back_as_it_was_stays_rejected(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("id,name,value\n1,Ada,1\n2,Bob\n3,Cy\n")
    held = load(path, "people", id=["id"])
    RejectedRow.objects.update(line=0)

    def the_second(rows):
        rows[1]["value"] = "3"

    done = load(given_out(held, tmp_path, the_second), "people")
    assert ledger(done) == (1, 0, 0, 1)
    assert data("people:3")["value"] == "3"
    assert [row.text for row in RejectedRow.objects.open()] == ["2,Bob\n"]


@pytest.mark.parametrize("key", [["id"], []])
def test_a_line_that_a_person_has_split_in_two_lands_both_parts_once(tmp_path, key):
    path = tmp_path / "people.csv"
    path.write_text("id,name\n1,Ada\n2,Bob,3,Cy\n")
    held = load(path, "people", id=key)

    def split(rows):
        rows[0]["name"] = "Bob"
        rows.append(rows[0] | {"id": "3", "name": "Cy"})

    repaired = given_out(held, tmp_path, split)
    assert ledger(load(repaired, "people")) == (2, 0, 0, 0)
    before = digest_of("people")
    assert ledger(load(repaired, "people")) == (0, 0, 2, 0)
    assert digest_of("people") == before
    assert opened() == []


def test_rows_of_a_compact_document_come_back_each_to_its_own(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('[{"id":"1","n":1},{"id":"","n":2},{"id":"","n":3},{"id":"","n":4}]')
    run = load(path, "j", id=["id"])
    assert (run.created, run.rejected) == (1, 3), run.error

    def the_last_two(rows):
        rows[1]["id"], rows[2]["id"] = "3", "4"
        rows.reverse()

    done = load(given_out(run, tmp_path, the_last_two), "j")
    assert ledger(done) == (2, 0, 0, 1)
    assert {record.id: record.line for record in DataRecord.objects.all()} == {
        "j:1": 1,
        "j:3": 3,
        "j:4": 4,
    }
    assert [row.line for row in RejectedRow.objects.open()] == [2]


@pytest.mark.parametrize("key", [["id"], []])
def test_values_of_json_that_come_back_untouched_stay_the_values_that_they_were(tmp_path, key):
    path = tmp_path / "rows.json"
    held_row = '{"id":"","n":[2,5],"x":3,"y":"3","z":null,"a":true,"bad":"\\u0000"}'
    path.write_text('[{"id":"1","n":1,"other":1},' + held_row + "]")
    run = load(path, "j", id=key)
    assert (run.created, run.rejected) == (1, 1), run.error

    def repair_all(rows):
        rows[0].update(id="2", bad="good", y="4")

    repaired = given_out(run, tmp_path, repair_all)
    assert ledger(load(repaired, "j")) == (1, 0, 0, 0)
    expected = {"id": "2", "n": [2, 5], "x": 3, "y": "4", "z": None, "a": True, "bad": "good"}
    assert DataRecord.objects.get(line=2).data == expected
    assert ledger(load(repaired, "j")) == (0, 0, 1, 0)
    assert DataRecord.objects.count() == 2
