"""Rows in batches, from the beginning or behind those that have landed."""

from datetime import UTC
from pathlib import Path

import pytest

from ingestion.parsing.batches import Batch, read_batches
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.readers import open_reader
from ingestion.parsing.row_mapper import RowMapper
from ingestion.parsing.spill_dict import SpillDict

COLUMNS = ["id", "at"]
LINES = ["1,2026-01-01", "2,some day", "3", "4,2026-01-04", "1,2026-01-01", "6,never", "7,"]
KEYED = {"id": ["id"], "timestamp": ["at"], "timestamp_format": "iso"}


def batches(path: Path, mapping: dict[str, object], skip: int) -> tuple[list[Batch], RowMapper]:
    reading = open_reader(path, name=path.name, encoding="utf-8", dialect=Dialect())
    with reading as reader, SpillDict() as seen:
        mapper = RowMapper(
            source="s", columns=COLUMNS, mapping=mapping, zone=UTC, occurrences=seen.count
        )
        return list(read_batches(reader, mapper, skip=skip, size=2)), mapper


@pytest.mark.parametrize("mapping", [KEYED, KEYED | {"id": []}, {"id": ["id"]}])
@pytest.mark.parametrize("skip", range(len(LINES) + 1))
def test_what_is_read_behind_rows_that_have_landed_is_as_if_they_had_not(tmp_path, mapping, skip):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([",".join(COLUMNS), *LINES]))
    whole, mapper = batches(path, mapping, skip=0)
    rest, mapper_again = batches(path, mapping, skip=skip)
    rows = [row for batch in whole for row in batch.rows if row.line >= skip + 2]
    assert [row for batch in rest for row in batch.rows] == rows
    rejects = [reject.line for batch in rest for reject in batch.rejects]
    assert rejects == [4] * (skip < 3)
    assert mapper_again.unreadable_moments == mapper.unreadable_moments
    assert mapper_again.first_unreadable == mapper.first_unreadable
