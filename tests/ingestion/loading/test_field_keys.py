"""Keys as real files have them: those that repeat, and those that other columns only look like."""

import random
from io import StringIO

import pytest
from django.core.management import call_command

from ingestion.loading import runs
from ingestion.loading.dry_runs import examine
from records.models import DataRecord, OnConflict, RecordVersion, Source
from tests.factories import load

pytestmark = pytest.mark.django_db

DICE = random.Random(43)  # noqa: S311 (test data)
SHARED = "Rows that share an ID with another row of this file"


def written(tmp_path, header, rows, name="shop.csv"):
    path = tmp_path / name
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows), ""]))
    return path


def sales(count):
    """Sales of which each customer makes several."""
    return [
        (f"2024-01-{1 + n % 28:02}", f"C{DICE.randrange(count):05}", DICE.choice("PQ"), n / 4)
        for n in range(count)
    ]


def told(path, **options):
    """What a dry run says."""
    on_conflict = options.pop("on_conflict", OnConflict.UPDATE)
    run = runs.create_run(path=path, file_name=path.name, trigger="test", roles=options, save=False)
    return examine(run, on_conflict=on_conflict)


def test_a_customer_who_buys_twice_makes_two_records(tmp_path):
    rows = sales(3_000)
    run = load(written(tmp_path, "date,customer_id,product,amount", rows))
    assert (run.created, run.read) == (3_000, 3_000)
    again = 3_000 - len({row[1] for row in rows})
    assert run.notes[0] == (
        "'customer_id' is not used as the ID column, because it repeats: rows with the "
        f"'customer_id' of an earlier row: {again:,}."
    )
    amounts = [float(data["amount"]) for data in DataRecord.objects.values_list("data", flat=True)]
    assert sum(amounts) == sum(row[3] for row in rows)


def test_the_key_of_the_rows_is_found_behind_that_of_something_else(tmp_path):
    rows = [(f"C{DICE.randrange(999):05}", f"SO-{n:06}", n / 4) for n in range(3_000)]
    run = load(written(tmp_path, "customer_id,order_id,total", rows))
    assert (run.mapping["id"], run.created, run.notes) == (["order_id"], 3_000, [])


def test_lines_without_an_id_are_held_and_told(tmp_path):
    rows = [("#1", 551), ("#1", ""), ("#2", 552), ("#3", 553), ("#3", "")]
    run = load(written(tmp_path, "Name,Id", rows))
    assert (run.created, run.rejected) == (3, 2)
    assert run.notes == ["Rows without a value in 'Id', the ID column: 2. They are rejected."]


def test_rows_that_update_each_other_are_told_by_dry_run_and_run(tmp_path):
    rows = [(n % 60, n) for n in range(100)]
    path = written(tmp_path, "customer,amount", rows)
    note = f"{SHARED}: 40. Each updates the one before, so 60 records remain."
    assert told(path, id=["customer"])["notes"] == [note]
    run = load(path, id=["customer"])
    assert (run.created, run.updated, run.notes) == (60, 40, [note])
    # The mapping is remembered now; the note is made as well.
    more = written(tmp_path, "customer,amount", [(n % 60, n + 1_000) for n in range(100)])
    run = load(more)
    assert (run.updated, run.notes) == (100, [note])


def test_several_columns_share_an_id_only_together(tmp_path):
    rows = [(n % 10, n // 10, n) for n in range(100)]
    path = written(tmp_path, "a,b,n", rows)
    assert told(path, id=["a", "b"])["shared_ids"] == {"rows": 0, "records": 100}
    assert told(path, id=["a"])["shared_ids"] == {"rows": 90, "records": 10}


@pytest.mark.parametrize(
    ("on_conflict", "outcome"),
    [
        ("keep", "The first one of each is kept, so 1 record remains."),
        (
            "reject",
            "The first one of each is kept, and those that differ are rejected, so 1 record "
            "remains.",
        ),
    ],
)
def test_the_note_says_what_becomes_of_the_rows(tmp_path, on_conflict, outcome):
    Source.objects.create(name="shop", on_conflict=on_conflict)
    path = written(tmp_path, "id,n", [(1, 1), (1, 2), (1, 2)])
    assert told(path, id=["id"], on_conflict=on_conflict)["notes"] == [f"{SHARED}: 2. {outcome}"]
    assert load(path, id=["id"]).notes == [f"{SHARED}: 2. {outcome}"]


def test_the_command_says_it(tmp_path):
    path = written(tmp_path, "customer,amount", [(1, 5), (1, 6), (2, 7)])
    for options in ({"dry_run": True}, {}, {"json": True}):
        said = StringIO()
        call_command("ingest", str(path), id=["customer"], stdout=said, stderr=said, **options)
        assert f"{SHARED}: 1. Each updates the one before, so 2 records remain." in said.getvalue()
    assert RecordVersion.objects.count() == 1 + 2


PEOPLE = [(n, f"P{n}@x.org", n % 5) for n in range(40)]


def test_records_that_another_key_would_double_are_told_before_and_by_the_run(tmp_path):
    path = written(tmp_path, "id,email,n", PEOPLE)
    assert load(path).mapping["id"] == ["id"]
    more = written(tmp_path, "id,email,n", [*PEOPLE, (99, "new@x.org", 1)])
    note = (
        "The ID was 'id' so far, and is 'email' now. Rows that are records already, under their "
        "former ID: 40. They become new records, so the source has these twice."
    )
    assert told(more, id=["email"])["notes"] == [note]
    run = load(more, id=["email"])
    assert (run.created, run.notes) == (41, [note])


def test_a_key_that_is_changed_in_the_settings_is_told_as_well(tmp_path):
    path = written(tmp_path, "id,email,n", PEOPLE)
    source = load(path).source
    source.mapping["id"] = ["email"]
    source.save()
    assert "under their former ID: 40." in load(path).notes[0]
    # Now it is the ID that the records have.
    assert load(path).notes == []


def test_a_key_after_none_is_told_by_the_content_of_the_rows(tmp_path):
    path = written(tmp_path, "mail,n", [(f"P{n}@x.org", n % 5) for n in range(40)])
    assert load(path).mapping["id"] == []
    changed = written(tmp_path, "mail,n", [(f"P{n}@x.org", n % 5 if n else 9) for n in range(40)])
    assert (
        "The ID was made from the content of each row so far, and is 'mail' now. Rows that are "
        "records already, under their former ID: 39."
    ) in told(changed, id=["mail"])["notes"][0]


def test_a_former_key_that_the_file_does_not_have_is_told(tmp_path):
    load(written(tmp_path, "id,email,n", PEOPLE))
    run = load(written(tmp_path, "email,n", [row[1:] for row in PEOPLE]), id=["email"])
    assert "nobody can tell how many, as this file has no column 'id'." in run.notes[0]


def test_other_rows_of_a_source_may_have_another_key_without_a_note(tmp_path):
    load(written(tmp_path, "id,email,n", PEOPLE))
    others = [(n, f"Q{n}@x.org", 1) for n in range(100, 140)]
    assert load(written(tmp_path, "id,email,n", others), id=["email"]).notes == []
