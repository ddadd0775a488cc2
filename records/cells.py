"""The cells of records, in the order and beside the results in which people read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from records.models import DataRecord, IngestionRun, ProcessingResult


@dataclass(frozen=True, slots=True)
class Row:
    """A record as a row of a list, with its first cells; None where it lacks the column."""

    record: DataRecord
    cells: list[tuple[str, Any]]


@dataclass(slots=True)
class ComparedCell:
    """A cell as it was read, and what the current result holds in its place."""

    column: str
    before: Any = None
    after: Any = None
    is_read: bool = False
    is_in_result: bool = False
    repairs: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether the result says something else than the row; ``100.5`` does not differ from
        ``"100.5"``."""
        return self.is_in_result and (
            not self.is_read or (self.before != self.after and self.before != _plain(self.after))
        )


def _plain(value: Any) -> Any:
    return repr(value) if isinstance(value, float) else str(value)


def in_order(columns: Iterable[str], data: dict[str, Any]) -> list[str]:
    """The columns of the data in the order of the input; columns added later come last."""
    known = [column for column in columns if column in data]
    return [*known, *(column for column in data if column not in set(known))]


def as_rows(records: Sequence[DataRecord], *, limit: int) -> tuple[list[str], list[Row]]:
    """Records with their first ``limit`` cells, and the columns of these if all have the same.

    The cells that made the id and the timestamp are left out: every list of records shows those
    anyway. The order is that of the runs that the records come from; it costs one query.
    """
    runs = {record.run_id for record in records if record.run_id is not None}
    known = IngestionRun.objects.filter(pk__in=runs).values_list("pk", "columns", "mapping")
    orders = {pk: _telling(columns, mapping)[:limit] for pk, columns, mapping in known}
    rows = []
    for record in records:
        order = orders.get(record.run_id or 0) or list(record.data)[:limit]
        rows.append(Row(record, [(column, record.data.get(column)) for column in order]))
    columns = {tuple(column for column, _ in row.cells) for row in rows}
    return (list(columns.pop()) if len(columns) == 1 else []), rows


def _telling(columns: list[str], mapping: dict[str, Any]) -> list[str]:
    shown_anyway = {*(mapping.get("id") or ()), *(mapping.get("timestamp") or ())}
    return [column for column in columns if column not in shown_anyway]


def compare(record: DataRecord, result: ProcessingResult | None) -> list[ComparedCell]:
    """Each cell of a record beside what its current result made of it."""
    columns = record.run.columns if record.run else []
    compared = {
        column: ComparedCell(column, before=record.data[column], is_read=True)
        for column in in_order(columns, record.data)
    }
    if result is None:
        return list(compared.values())
    for column, value in (result.processed_data or {}).items():
        found = compared.setdefault(column, ComparedCell(column))
        found.after, found.is_in_result = value, True
    for repair in result.repairs:
        if found_for_repair := compared.get(repair.get("column", "")):
            found_for_repair.repairs.append(repair)
    for error in result.errors:
        if found_for_error := compared.get(error.get("column", "")):
            found_for_error.errors.append(error)
    return list(compared.values())
