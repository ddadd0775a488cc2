"""The cells of records for lists and pages, in display order and next to their results."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from records.models import DataRecord, IngestionRun, ProcessingResult

# Not what begins with a zero, which is rather a code.
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class Column(NamedTuple):
    """A column of a list, of the row as read or of the result; one of values is set like numbers,
    though its cells are text."""

    name: str
    is_value: bool = False
    of_result: bool = False


class Cell(NamedTuple):
    """A cell of a list; its value is None where the record, or its result, lacks the column."""

    column: Column
    value: Any
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A record as a row of a list, with a few of its cells."""

    record: DataRecord
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Listing:
    """Records as a table. ``columns`` is empty where they have different ones; ``names`` are all
    the columns that they have, and ``result_names`` those of their current results."""

    columns: list[Column]
    rows: list[Row]
    names: list[str]
    result_names: list[str]


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
        """Whether the result says something else than the row."""
        return self.is_in_result and (not self.is_read or _differ(self.before, self.after))


def _differ(before: Any, after: Any) -> bool:
    """Whether a result says something else than the cell that was read; the same number in other
    digits does not."""
    if before == after or before == str(after):
        return False
    if type(after) in (int, float) and NUMBER.fullmatch(str(before)):
        return Decimal(str(before)) != Decimal(repr(after))
    return True


def in_order(columns: Iterable[str], data: dict[str, Any]) -> list[str]:
    """The columns of the data in the order of the input; columns added later come last."""
    known = dict.fromkeys(column for column in columns if column in data)
    return [*known, *(column for column in data if column not in known)]


def as_rows(
    records: Sequence[DataRecord],
    *,
    limit: int,
    chosen: Sequence[str] = (),
    of_results: Sequence[str] = (),
) -> Listing:
    """Records with the cells of the ``chosen`` columns; without any with ``limit`` telling ones.

    Of cells that nobody has chosen, those that made the id and the timestamp are hidden: every
    list of records shows those anyway. The source's value and category are always among the
    cells. The order is that of the runs that the records come from. The columns ``of_results``
    stand beside those of the same name. It costs two queries.
    """
    runs = {record.run_id for record in records if record.run_id is not None}
    known = list(
        IngestionRun.objects.filter(pk__in=runs)
        .order_by("-pk")
        .values_list("pk", "columns", "mapping", "source__mapping")
    )
    has_closed = any(record.closed_by_id is not None for record in records)
    made = made_of([record.pk for record in records], closed="all" if has_closed else "")
    names = dict.fromkeys(name for _, columns, _, _ in known for name in columns)
    names.update(dict.fromkeys(name for record in records for name in record.data))
    names.update(dict.fromkeys(chosen))
    of_made = {name for cells in made.values() for name in cells}
    result_names = dict.fromkeys(name for name in names if name in of_made)
    result_names.update(dict.fromkeys([*sorted(of_made), *of_results]))
    telling = {
        pk: _telling(columns, mapping, roles, limit) for pk, columns, mapping, roles in known
    }
    rows = []
    for record in records:
        few = [Column(name) for name in chosen or list(record.data)[:limit]]
        best = None if chosen else telling.get(record.run_id or 0)
        columns = _beside(best or few, of_results)
        rows.append(_row(record, columns, made.get(record.pk, {})))
    kinds = {tuple(cell.column for cell in row.cells) for row in rows}
    if len(kinds) != 1:
        return Listing([], rows, list(names), list(result_names))
    columns = [
        column._replace(is_value=column.is_value or _are_numbers([row.cells[n] for row in rows]))
        for n, column in enumerate(kinds.pop())
    ]
    rows = [_row(row.record, columns, made.get(row.record.pk, {})) for row in rows]
    return Listing(columns, rows, list(names), list(result_names))


def made_of(ids: Collection[str], *, closed: str = "") -> dict[str, dict[str, Any]]:
    """The cells of the current results of those records that have one, by the records' ids; for
    ``closed`` see ResultQuerySet.shown."""
    results = ProcessingResult.objects.shown(closed).filter(
        record_id__in=ids, processed_data__isnull=False
    )
    return {pk: cells or {} for pk, cells in results.values_list("record_id", "processed_data")}


def _beside(columns: Sequence[Column], of_results: Sequence[str]) -> list[Column]:
    """The columns, each with that of the result behind it; what only results have comes last."""
    asked = {name: Column(name, of_result=True) for name in of_results}
    shown = []
    for column in columns:
        shown.append(column)
        if column.name in asked:
            shown.append(asked.pop(column.name)._replace(is_value=column.is_value))
    return [*shown, *asked.values()]


def _row(record: DataRecord, columns: Iterable[Column], made: dict[str, Any]) -> Row:
    cells = []
    for column in columns:
        read = record.data.get(column.name)
        if column.of_result:
            value = made.get(column.name)
            cells.append(Cell(column, value, column.name in made and _differ(read, value)))
        else:
            cells.append(Cell(column, read))
    return Row(record, cells)


def _are_numbers(cells: Iterable[Cell]) -> bool:
    filled = [cell.value for cell in cells if cell.value not in (None, "")]
    return bool(filled) and all(
        not isinstance(value, bool) and NUMBER.fullmatch(str(value)) for value in filled
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
