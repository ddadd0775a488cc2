"""Rows of one batch that share a key: all at once does what one after the other would do."""

import json
import random
import time

import pytest

from records.models import DataRecord, IngestionRun, OnConflict, RecordVersion, RejectedRow, Source
from tests.factories import counted, load, recounted

pytestmark = pytest.mark.django_db


def landed(source, contents, settings, folder, size):
    """What the source holds after these files in batches of a size, without names and times."""
    settings.BATCH_ROWS = size
    ledgers = []
    for number, rows in enumerate(contents):
        path = folder / f"{number}.ndjson"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        run = load(path, source, id=["id"], timestamp=["day"] if number else ["none"])
        ledgers.append((run.state, run.created, run.updated, run.unchanged, run.rejected))
    runs = {
        pk: place
        for place, pk in enumerate(IngestionRun.objects.order_by("pk").values_list("pk", flat=True))
    }
    first = min(IngestionRun.objects.filter(source__name=source).values_list("pk", flat=True))
    fields = ("version", "timestamp", "data", "run_id", "line")

    def told(rows):
        return sorted(
            (key.partition(":")[2], version, str(timestamp), json.dumps(data, sort_keys=True),
             runs[run] - runs[first], line, *more)
            for key, version, timestamp, data, run, line, *more in rows
        )  # fmt: skip

    records = told(DataRecord.objects.of_source(source).values_list("id", *fields, "status"))
    versions = told(
        RecordVersion.objects.filter(record__source=source).values_list(
            "record_id", *fields, "reason"
        )
    )
    rejects = sorted(
        RejectedRow.objects.filter(run__source__name=source).values_list("line", "code")
    )
    return ledgers, records, versions, rejects


@pytest.mark.parametrize("policy", OnConflict.values)
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_does_what_its_rows_would_do_one_by_one(policy, seed, settings, tmp_path):
    dice = random.Random(seed)  # noqa: S311 (test data)

    def row():
        cells = [("id", str(dice.randrange(7))), ("n", dice.choice([1, 2, "x"]))]
        dice.shuffle(cells)
        return {**dict(cells), "day": dice.choice(["2025-01-02", "2025-01-03"]), "none": ""}

    contents = [[row() for _ in range(30)] for _ in range(3)]
    for name in ("whole", "single"):
        Source.objects.create(name=name, on_conflict=policy)
    whole = landed("whole", contents, settings, tmp_path, 1_000)
    single = landed("single", contents, settings, tmp_path, 1)
    assert whole == single
    assert counted() == recounted()


def test_rows_that_update_each_other_land_fast(tmp_path):
    count = 5_000

    def seconds(name, keys):
        path = tmp_path / f"{name}.csv"
        path.write_text("id,n\n" + "".join(f"{n % keys},{n}\n" for n in range(count)))
        start = time.perf_counter()
        run = load(path, id=["id"])
        assert (run.created, run.updated) == (keys, count - keys)
        return time.perf_counter() - start

    plain = seconds("plain", count)
    assert seconds("few", 10) < 10 * plain
    assert DataRecord.objects.get(pk="few:3").version == count // 10
