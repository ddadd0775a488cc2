"""The number format of a source, told from its stored rows and set with rules that read by it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from accounts import audit
from processing.jobs import process
from processing.rule_sets import rule_set_for
from processing.rules import Step
from processing.rules.base import as_text
from records import store
from records.jobs.runner import queue
from records.json_text import parsed
from records.models import DataRecord, ProcessingResult, ProcessingRun, Selection, Source
from records.number_decision import FORMATS, format_of
from records.number_styles import NumberColumn, Numbers
from records.number_text import Style

# So many rows are looked at from the beginning of a source, and of those that could not be read.
ROWS, PART = 100_000, 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """How the numbers of the value column are written; ``of_all`` says that all rows were seen."""

    column: str
    numbers: Numbers
    of_all: bool

    @property
    def chosen(self) -> str:
        """The format to propose."""
        return format_of(self.numbers.style)


def value_column(source: Source) -> str:
    """The value column of a source; "" if it has none."""
    return str(next(iter(source.mapping.get("value") or ()), ""))


def look(source: Source, *, signs: Style | None = None) -> Found:
    """Look at the value column in the stored rows of a source: all, or the first ROWS of them and
    as many of those that could not be read. ``signs`` are those that a person has chosen."""
    column = value_column(source)
    numbers = NumberColumn(always=True)
    records = DataRecord.objects.of_source(source.name).open().order_by("id").texts()
    part = list(records[:PART])
    seen = 0
    while part and seen < ROWS:
        ids, texts = zip(*part, strict=True)
        numbers.add([_cell(parsed(text), column) for text in texts])
        seen += len(part)
        part = list(records.filter(id__gt=ids[-1])[:PART])
    if part:
        unread = ProcessingResult.objects.of_source(source.name).filter(current=True, unread=True)
        found = unread.order_by("record_id").values_list("record__data", flat=True)[:ROWS]
        numbers.add([_cell(data, column) for data in found])
    return Found(column, numbers.found(known=signs), of_all=not part)


def _cell(row: dict[str, Any], column: str) -> str:
    cell = row.get(column)
    return "" if cell is None else as_text(cell)


def set_format(*, source: Source, text: str, user: User) -> ProcessingRun:
    """Set the number format of a source, give it rules that read by it, and reprocess it.

    Rules that a person saved are kept, but for how they read the value column.
    """
    found = look(source, signs=FORMATS[text])
    style = found.numbers.style
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source.pk)
        former = {"mapping": dict(source.mapping)}
        styles = source.mapping.get("numbers") or {}
        source.mapping["numbers"] = {**styles, found.column: style.parameters()}
        source.save(update_fields=["mapping"])
        audit.record(
            audit.Action.SOURCE_CHANGED,
            kind="source",
            object_id=source.pk,
            label=source.name,
            source=source.name,
            before=former,
            after={"mapping": source.mapping},
        )
        current = source.current_rule_set
        if current is None or current.is_default:
            rule_set_for(source)
        else:
            store.save_rule_set(
                source=source,
                rules=_reading_by(current.rules, found.column, style),
                note=f"Numbers in {found.column[:100]!r} are read as {text}",
                author=user,
            )
        run = process.create_run(
            trigger="page", source_name=source.name, selection=Selection.CHANGED, user=user
        )
        queue(run)
    return run


def _reading_by(rules: list[Step], column: str, style: Style) -> list[Step]:
    """Rules whose first step for the numbers of a column reads by a style; added if missing."""
    names = set(Style._fields)
    changed = list(rules)
    for place, step in enumerate(changed):
        if step.get("rule") == "number" and step.get("column") == column:
            kept = {name: value for name, value in step.items() if name not in names | {"off"}}
            changed[place] = kept | style.parameters()
            return changed
    return [{"rule": "number", "column": column, **style.parameters()}, *changed]
