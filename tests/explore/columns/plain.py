"""What a snapshot has to hold, read from the tables one by one."""

import json
import math
from typing import Any

from explore.columns.schema import FIXED
from explore.columns.snapshot import Snapshot, snapshot
from explore.filters.sql import Cell
from records.models import DataRecord, ProcessingResult

Rows = dict[str, dict[Any, Any]]


def plain_rows(source: str) -> Rows:
    """The records of a source by their ids, with the cells that are there."""
    rows: Rows = {}
    results = {
        result.record_id: result
        for result in ProcessingResult.objects.filter(current=True, record__source=source)
    }
    for record in DataRecord.objects.filter(source=source):
        row: dict[Any, Any] = {name: getattr(record, name, None) for name in FIXED}
        row |= {"source": record.source_id, "closed": record.closed_by_id is not None}
        if result := results.get(record.id):
            row |= {name: getattr(result, name) for name in OF_RESULT}
            row["error_rules"] = [error["rule"] for error in result.errors]
            row["repair_rules"] = [repair["rule"] for repair in result.repairs]
            row["repaired_columns"] = [repair["column"] for repair in result.repairs]
            for name, cell in (result.processed_data or {}).items():
                row["result", name] = _result(cell)
        for name in record.data:
            row["data", name] = _text(record.id, name)
        rows[record.id] = {key: cell for key, cell in row.items() if cell is not None}
    return rows


OF_RESULT = ("success", "value", "category", "error_message", "anomaly", "repaired", "unread")


def _text(record_id: str, name: str) -> Any:
    records = DataRecord.objects.filter(pk=record_id)
    return records.annotate(cell=Cell(name)).values_list("cell", flat=True).get()


def _result(cell: Any) -> Any:
    if isinstance(cell, bool):
        return json.dumps(cell)
    if isinstance(cell, int | float):
        try:
            is_held = math.isfinite(cell) and float(cell) == cell and abs(cell) < 2**127
        except OverflowError:
            is_held = False
        return float(cell) if is_held else json.dumps(cell)
    if isinstance(cell, list | dict):
        return json.dumps(cell, separators=(",", ":"), ensure_ascii=False)
    return cell


def snapshot_rows(found: Snapshot) -> Rows:
    """The same, out of a snapshot; numbers among texts are compared as numbers."""
    keys = [*FIXED, *(column.key for column in found.columns)]
    names = [f'"{name}"' for name in FIXED]
    for column in found.columns:
        find = found.data_column if column.kind == "data" else found.result_column
        name = find(column.name)
        assert name is not None
        names.append(name)
    cells = found.connection.execute(f"SELECT {', '.join(names)} FROM records").fetchall()
    rows: Rows = {}
    for row in cells:
        assert row[0] not in rows
        rows[row[0]] = {key: cell for key, cell in zip(keys, row, strict=True) if cell is not None}
    return rows


def as_texts(rows: Rows) -> Rows:
    """Numbers of results as the texts that they are in a column of texts."""
    return {
        record: {
            key: _as_text(cell) if isinstance(key, tuple) and key[0] == "result" else cell
            for key, cell in row.items()
        }
        for record, row in rows.items()
    }


def _as_text(cell: Any) -> Any:
    return repr(cell) if isinstance(cell, float) else cell


def assert_whole(*sources: str) -> None:
    """A snapshot of these sources holds what the tables hold."""
    expected: Rows = {}
    for source in sources:
        expected |= plain_rows(source)
    with snapshot(sources=sources) as found:
        assert found.as_of.is_current
        assert as_texts(snapshot_rows(found)) == as_texts(expected)
