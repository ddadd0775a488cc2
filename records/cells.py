"""The cells of records, in the order and beside the results in which people read them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from records.models import DataRecord, IngestionRun, ProcessingResult

# Not what begins with a zero, which is rather a code.
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class Column(NamedTuple):
    """A column of a list; one of values is set like numbers, though its cells are text."""

    name: str
    is_value: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A record as a row of a list, with a few of its cells; None where it lacks the column."""

    record: DataRecord
    cells: list[tuple[Column, Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Records as a table. ``columns`` is empty where they have different ones; ``names`` are all
    the columns that they have."""

    columns: list[Column]
    rows: list[Row]
    names: list[str]


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


def as_rows(records: Sequence[DataRecord], *, limit: int, chosen: Sequence[str] = ()) -> Listing:
    """Records with the cells of the ``chosen`` columns; without any with ``limit`` telling ones.

    Of cells that nobody has chosen, those that made the id and the timestamp are left out: every
    list of records shows those anyway. The source's value and category are always among the
    cells. The order is that of the runs that the records come from; it costs one query.
    """
    runs = {record.run_id for record in records if record.run_id is not None}
    known = list(
        IngestionRun.objects.filter(pk__in=runs)
        .order_by("-pk")
        .values_list("pk", "columns", "mapping", "source__mapping")
    )
    names = dict.fromkeys(name for _, columns, _, _ in known for name in columns)
    names.update(dict.fromkeys(name for record in records for name in record.data))
    names.update(dict.fromkeys(chosen))
    if chosen:
        shown = _aligned([Column(name) for name in chosen], records)
        return Listing(shown, [_row(record, shown) for record in records], list(names))
    orders = {pk: _telling(columns, mapping, roles, limit) for pk, columns, mapping, roles in known}
    rows = [
        _row(
            record,
            orders.get(record.run_id or 0) or [Column(name) for name in record.data][:limit],
        )
        for record in records
    ]
    kinds = {tuple(column for column, _ in row.cells) for row in rows}
    if len(kinds) != 1:
        return Listing([], rows, list(names))
    shown = _aligned(kinds.pop(), records)
    return Listing(shown, [_row(record, shown) for record in records], list(names))


def _row(record: DataRecord, columns: Iterable[Column]) -> Row:
    return Row(record, [(column, record.data.get(column.name)) for column in columns])


def _aligned(columns: Iterable[Column], records: Sequence[DataRecord]) -> list[Column]:
    """The columns; those whose cells are all numbers are set like numbers."""
    return [
        column._replace(is_value=True) if _holds_numbers(column.name, records) else column
        for column in columns
    ]


def _holds_numbers(column: str, records: Sequence[DataRecord]) -> bool:
    cells = [record.data.get(column) for record in records]
    filled = [cell for cell in cells if cell not in (None, "")]
    return bool(filled) and all(
        not isinstance(cell, bool) and NUMBER.fullmatch(str(cell)) for cell in filled
    )


def _telling(
    columns: list[str], mapping: dict[str, Any], roles: dict[str, Any], limit: int
) -> list[Column]:
    """The columns to show of a run, which read by ``mapping``; ``roles`` are its source's."""
    shown_anyway = {*(mapping.get("id") or ()), *(mapping.get("timestamp") or ())}
    values, categories = roles.get("value") or (), roles.get("category") or ()
    telling = [column for column in columns if column not in shown_anyway]
    # A stable sort: what counts comes first, and all else stays in order.
    first = sorted(telling, key=lambda column: column not in {*values, *categories})[:limit]
    return [Column(column, column in values) for column in telling if column in set(first)]


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
