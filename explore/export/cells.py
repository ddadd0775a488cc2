"""What export formats share: the header row, and cells as text."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from records.json_text import json_text

# What is told of a record beside its cells, under names that are not the file's own.
FACTS = ("record_id", "record_timestamp", "record_source", "record_status")
CLOSED_BY = "record_closed_by_run"


def head_of(
    columns: Sequence[str],
    result_columns: Sequence[str],
    *,
    raw: bool,
    has_closed: bool = False,
) -> list[str]:
    """The names at the top of a table: the file's own, unless ``raw`` between those of facts and of
    results, under names that are not the file's."""
    if raw:
        return list(columns)
    facts = (*FACTS, CLOSED_BY) if has_closed else FACTS
    results = [f"result_{name}" for name in result_columns]
    return [*_other(facts, columns), *columns, *_other(results, columns)]


def _other(names: Iterable[str], taken: Sequence[str]) -> Iterator[str]:
    for name in names:
        while name in taken:
            name += "_"
        yield name


def as_text(cell: Any) -> str:
    """A cell as text: nothing for null, other values that are no text as their JSON."""
    if isinstance(cell, str):
        return cell
    return "" if cell is None else json_text(cell)


def in_columns(data: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """The cells in the order of the columns, without what a record does not have."""
    return {column: data[column] for column in columns if column in data}
