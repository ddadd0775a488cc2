"""What of the value column can't be read as numbers, found while an input is read."""

from typing import Any

from ingestion.parsing.batches import HasChunks
from ingestion.parsing.number_format import (
    NUMBERS,
    ValueCells,
    ValueWatch,
    doubtful,
    known_style,
    sentences,
)
from records.models import IngestionRun, Source
from records.number_decision import described
from records.number_text import PLAIN, Style, style_of

# The value cells of a run that has yet to tell the style of its numbers from all rows.
UNDECIDED: dict[str, Any] = {"is_undecided": True}


def watch_values(run: IngestionRun, reader: HasChunks) -> ValueWatch | None:
    """The rows of a reader with a look at the run's value column; None if it has none."""
    columns = run.mapping.get("value")
    if not columns or columns[0] not in run.columns:
        return None
    style, widens = _style_in_force(run, columns[0])
    return ValueWatch(reader, columns[0], style, widens=widens)


def _style_in_force(run: IngestionRun, column: str) -> tuple[Style | None, bool]:
    """The style by which the source's rules will read the column, and whether it may take on what
    else the cells have: rules that a person saved stay as they are."""
    mapped = known_style(run.mapping, column)
    rules = run.source.current_rule_set if run.source_id else None
    if rules is None or rules.is_default:
        return mapped, True
    for step in rules.rules:
        is_of_column = step.get("rule") == "number" and step.get("column") == column
        if is_of_column and not step.get("off"):
            return style_of(step), False
    return mapped, False


def keep_style(run: IngestionRun, watch: ValueWatch) -> tuple[ValueCells, list[str]]:
    """Save the style of the value column with the source if its cells needed more than was known.

    Returns what still can't be read, and the notes about both.
    """
    style, cells = watch.found()
    notes: list[str] = []
    known = known_style(run.mapping, cells.column) or PLAIN
    if run.value_cells == UNDECIDED:
        decided, read_so = watch.decided()
        notes += sentences(cells.column, decided)
        notes += doubtful(cells.column, decided)
        _keep(run, cells.column, decided.style)
        cells = read_so if watch.widens else cells
    elif watch.widens and style != known:
        notes.append(f"The numbers in {cells.column!r} are now read {described(style)}.")
        _keep(run, cells.column, style)
    if cells.unread:
        notes.append(cells.sentence())
    return cells, notes


def _keep(run: IngestionRun, column: str, style: Style) -> None:
    """Save the style of the value column with the run and its source, unless that is known."""
    if style == (known_style(run.mapping, column) or PLAIN):
        return
    run.mapping[NUMBERS] = {**(run.mapping.get(NUMBERS) or {}), column: style.parameters()}
    source = Source.objects.filter(pk=run.source_id, mapping__value=[column])
    source.update(mapping=run.mapping)
