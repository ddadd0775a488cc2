"""Suggests rules from the columns of a source. Pure: no Django, no tables."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processing.engine import pipeline
from processing.rules import Step, is_missing, read_number
from processing.rules.base import as_text
from processing.rules.check import step_problem
from processing.rules.defaults import default_rules

# A number with a decimal comma, and perhaps points between thousands; or a whole one among these.
WHOLE = re.compile(r"\s*[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)\s*")
COMMA = re.compile(r"\s*[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+),[0-9]+\s*")
# What may as well be thousands, as people write them who have a decimal point.
THOUSANDS = re.compile(r"\s*[+-]?[0-9]{1,3},[0-9]{3}\s*")
# What is written in digits and is not a number: it has no sum, and its zeros count.
CODE = re.compile(r"(?<![^\W_])(?:code|zip|postal|postcode|phone|id)(?![^\W_])", re.IGNORECASE)
ZERO_FIRST = re.compile(r"\s*0[0-9]+\s*")
ISO_DATE = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What a cell with a time of day has, and a date alone does not.
TIME = re.compile(r"[0-9]:[0-9]|[0-9]T[0-9]|^[0-9]{9,}")
TOP = 5
# So much of the filled cells has to be of a kind for the column to look like it.
LOOKS_LIKE = 0.95
# A column has categories if its values come again so often, and are not longer.
REPEATED, LONGEST_CATEGORY = 3, 60


@dataclass(frozen=True, slots=True)
class ColumnSeen:
    """What was seen of a column: ``looks_like`` is one of empty, id, date, number, category, text;
    ``values`` are its most frequent cells, ``all_values`` says that there are no others. ``least``
    is its smallest number. ``has_comma``: its numbers have a decimal comma; ``is_tidy``: no cell
    has a space too many."""

    name: str
    looks_like: str
    filled: int
    empty: int = 0
    values: Sequence[str] = field(default_factory=tuple)
    all_values: bool = False
    least: float | None = None
    has_comma: bool = False
    is_tidy: bool = False


def seen(profile: Mapping[str, Any]) -> ColumnSeen:
    """A column as the report of a dry run profiles it."""
    values = [value for value, _ in profile["top"]]
    all_values = profile["exact"] and profile["distinct"] == len(values)
    return ColumnSeen(
        name=profile["name"],
        looks_like=profile["looks_like"],
        filled=profile["filled"],
        empty=profile["empty"],
        values=values,
        all_values=all_values,
        least=read_number(profile["least"]),
        has_comma=_have_comma(values),
        is_tidy=all_values and _are_tidy(values),
    )


def look_at(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> list[ColumnSeen]:
    """The columns of a sample of rows, for a source without a profile; those named come first."""
    present = dict.fromkeys(name for row in rows for name in row)
    # PostgreSQL does not keep the order of the names in a row.
    names = dict.fromkeys((*(name for name in columns if name in present), *present))
    return [_look_at(name, [row.get(name) for row in rows]) for name in names]


def _look_at(name: str, cells: Sequence[Any]) -> ColumnSeen:
    counts = Counter(as_text(cell) for cell in cells if not is_missing(cell))
    filled = counts.total()
    numbers = [n for text in counts.elements() if (n := read_number(text)) is not None]
    top = [value for value, _ in counts.most_common(TOP)]
    return ColumnSeen(
        name=name,
        looks_like=_looks_like(counts, len(numbers)),
        filled=filled,
        empty=len(cells) - filled,
        values=top,
        all_values=len(counts) == len(top),
        least=min(numbers, default=None),
        has_comma=_have_comma(counts),
        is_tidy=_are_tidy(counts),
    )


def _have_comma(values: Collection[str]) -> bool:
    """Whether values are numbers with a decimal comma, and can be nothing else."""
    commas = [value for value in values if COMMA.fullmatch(value)]
    return not all(map(THOUSANDS.fullmatch, commas)) and all(
        WHOLE.fullmatch(value) or COMMA.fullmatch(value) for value in values
    )


def _are_tidy(values: Iterable[str]) -> bool:
    return all(value == " ".join(value.split()) for value in values)


def _looks_like(counts: Counter[str], numbers: int) -> str:
    filled = counts.total()
    if not filled:
        return "empty"
    is_repeated = len(counts) * REPEATED <= filled
    if numbers >= filled * LOOKS_LIKE:
        return "id" if len(counts) == filled > 1 and all(map(str.isdigit, counts)) else "number"
    if sum(map(bool, map(ISO_DATE.match, counts))) >= len(counts) * LOOKS_LIKE:
        return "date"
    return "category" if is_repeated and max(map(len, counts)) <= LONGEST_CATEGORY else "text"


def propose(columns: Sequence[ColumnSeen], mapping: Mapping[str, Any]) -> list[Step]:
    """Suggested rules for a source, to be reviewed by a user.

    Rules that could fail records that passed so far are off and have a note.
    """
    *rules, stamp = default_rules(mapping)
    values, categories = mapping.get("value") or [], mapping.get("category") or []
    handled = {*(mapping.get("id") or []), *values, *categories}
    for column in columns:
        if column.name in values and column.has_comma:
            place = next(p for p, step in enumerate(rules) if step.get("column") == column.name)
            rules[place] |= _comma(column)
        if column.name not in handled:
            rules += _cleaning(column, mapping)
    dates = {step["column"] for step in rules if step["rule"] == "date"}
    for column in columns:
        if column.name not in dates:
            rules += _guards(column, mapping)
    rules += [
        {"rule": "anomaly", "column": value, **({"by": categories[0]} if categories else {})}
        for value in values
    ]
    # What some cells hold can't stand in a rule, a NUL say.
    return [step for step in (*rules, stamp) if step_problem(step) is None]


def _cleaning(column: ColumnSeen, mapping: Mapping[str, Any]) -> list[Step]:
    name, times = column.name, mapping.get("timestamp") or []
    if column.has_comma:
        return [{"rule": "number", "column": name, "on_failure": "empty"} | _comma(column)]
    date: Step = {"rule": "date", "column": name, "on_failure": "empty"}
    if not any(map(TIME.search, column.values)):
        date["becomes"] = "date"
    if mapping.get("timestamp_zone"):
        date["zone"] = mapping["timestamp_zone"]
    if name in times and mapping.get("timestamp_zone_column"):
        # Only the import knows the zone of each row.
        return []
    if len(times) == 1 and mapping.get("timestamp_format"):
        date["formats"] = [mapping["timestamp_format"]]
        if times == [name] or (column.looks_like != "number" and _fit(column.values, date)):
            return [date]
    if column.looks_like == "date" and all(map(ISO_DATE.match, column.values)):
        return [date | {"formats": ["iso"]}]
    if name in times:
        return []
    if column.looks_like == "number" and not _is_code(column):
        return [{"rule": "number", "column": name, "on_failure": "empty"}]
    if column.looks_like in ("number", "category", "text") and not column.is_tidy:
        return [{"rule": "text", "column": name, "strip": True, "collapse": True}]
    return []


def _guards(column: ColumnSeen, mapping: Mapping[str, Any]) -> list[Step]:
    """Checks that hold for all that was seen; they may fail what comes, so they are off."""
    name, keys = column.name, mapping.get("id") or []
    if name in (mapping.get("timestamp") or []):
        return []
    known = sorted({" ".join(value.split()) for value in column.values})
    is_choice = column.all_values and len(known) > 1
    if column.looks_like == "category" and is_choice and not column.has_comma:
        return [
            {"rule": "allowed", "column": name, "values": known, "ignore_case": True, "off": True,
             "note": "No other values so far."}
        ]  # fmt: skip
    is_number = column.looks_like == "number" and not _is_code(column)
    if is_number and column.least is not None and column.least >= 0:
        note = "Nothing below 0 so far."
        return [{"rule": "range", "column": name, "least": 0, "off": True, "note": note}]
    if column.looks_like == "id" and name not in keys:
        note = "No duplicates so far."
        return [{"rule": "unique", "columns": [name], "off": True, "note": note}]
    return []


def _is_code(column: ColumnSeen) -> bool:
    return bool(CODE.search(column.name)) or any(map(ZERO_FIRST.fullmatch, column.values))


def _fit(values: Sequence[str], step: Step) -> bool:
    """Whether there are values, and a step takes all of them as they are."""
    rows = [{step["column"]: value} for value in values]
    return bool(rows) and not pipeline.apply(rows, [step], 0.0).repairs


def _comma(column: ColumnSeen) -> Step:
    thousands = {"thousands": "."} if any("." in value for value in column.values) else {}
    return {"decimal": ",", **thousands}
