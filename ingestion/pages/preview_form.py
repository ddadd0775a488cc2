"""The form of the preview page."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import BadRequest
from django.http import QueryDict

from ingestion.loading.drafts import Choice
from ingestion.parsing.detection import Detected
from ingestion.parsing.dialect import CHARACTERS, CHECKS, WORKBOOKS, Dialect, Format
from ingestion.parsing.inspection import Look
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN
from ingestion.parsing.number_format import NUMBER_FORMAT
from records.dates.formats import reads_years
from records.models import IngestionRun
from records.models.sources import OnConflict
from records.number_decision import FORMATS as NUMBER_FORMATS
from records.rows import ROLES

NAMES = {character: name for name, character in reversed(CHARACTERS.items())}
# The parsing options of each format, besides format and encoding.
ASKED = {
    Format.DELIMITED: ("delimiter", "quote", "escape", "header", "skip"),
    **dict.fromkeys(WORKBOOKS, ("sheet", "header", "skip")),
    Format.JSON: ("rows_path",),
    Format.NDJSON: (),
    Format.PARQUET: (),
}
LABELS = {
    "format": "Format",
    "encoding": "Encoding",
    "delimiter": "Delimiter",
    "quote": "Quote character",
    "escape": "Escape character",
    "header": "Header line",
    "skip": "Lines to skip",
    "sheet": "Sheet",
    "rows_path": "Path to the rows",
}
SUGGESTED = {
    "format": tuple(map(str, Format)),
    "encoding": ("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "iso-8859-1", "shift_jis"),
    "delimiter": ("comma", "semicolon", "tab", "pipe", "space"),
    "quote": ('"', "'", "none"),
    "escape": ("none", "\\"),
    "header": ("none", "1", "2", "1-2"),
}
SEVERAL = ("id", "timestamp")
# What becomes of rows that share an ID: "keep" the ID, or "none".
SHARED = "shared_ids"
# How many columns each select lists: a page with all columns of a very wide table takes minutes.
OFFERED_COLUMNS = 500
OFFERED_SHEETS = 100
OFFERED_PATHS = 100
HELP = {
    "id": "Identifies a record. Without an ID column, the key is made from the row's content.",
    "timestamp": "A date, or a date and a time.",
    "value": "The number to chart and average.",
    "category": "The column to group by.",
}


@dataclass(slots=True)
class ReadingField:
    """A parsing option: the value that was set, and the one that was detected."""

    name: str
    label: str
    value: str
    found: str
    options: tuple[str, ...]
    error: str = ""
    # Values to choose from, each with its label; without any, the value is typed.
    choices: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class RoleField:
    """A role, and the columns mapped to it, one select for each; "" is none."""

    name: str
    label: str
    help: str
    options: list[str]
    chosen: list[str] = field(default_factory=list)


def reading_fields(
    run: IngestionRun, seen: Look, said: dict[str, str] | None = None, errors: Any = None
) -> list[ReadingField]:
    """The parsing options, with the values in ``said``, else those of the run."""
    answers = run.reading if said is None else said
    form = seen.prepared.detected.dialect.format if seen.prepared else _format(seen)
    found = _found(seen)
    detected = seen.prepared.detected if seen.prepared else seen.found
    sheets = detected.sheets[:OFFERED_SHEETS] if detected else []
    has_no_encoding = form in (*WORKBOOKS, Format.PARQUET) and form != Format.HTML
    return [
        ReadingField(
            name,
            LABELS[name],
            answers.get(name, ""),
            found.get(name, ""),
            tuple(sheets) if name == "sheet" else SUGGESTED.get(name, ()),
            (errors or {}).get(name, ""),
            _choices(name, answers.get(name, ""), detected),
        )
        for name in ("format", *([] if has_no_encoding else ["encoding"]), *ASKED[form])
    ]


def _choices(name: str, value: str, detected: Detected | None) -> list[tuple[str, str]]:
    """What a parsing option is chosen from; an empty value has the label of what is detected."""
    if name == "format":
        return [("", "Auto-detect"), *((option, option) for option in SUGGESTED["format"])]
    paths = detected.rows_paths if detected and name == "rows_path" else {}
    if len(paths) < 2:
        return []
    offered = [
        (path, f"{path} ({count:,} row{'' if count == 1 else 's'})")
        for path, count in list(paths.items())[:OFFERED_PATHS]
    ]
    if value and value not in dict(offered):
        offered.append((value, value))
    return [("", "Auto-detect"), *offered]


def summary(seen: Look) -> list[str]:
    """What the settings are, in a few words each."""
    if seen.prepared is None:
        return []
    found, detected = _found(seen), seen.prepared.detected
    kind = detected.dialect.format
    words = [str(kind).upper() if kind != Format.DELIMITED else f"{found['delimiter']}-separated"]
    if kind not in (*WORKBOOKS, Format.PARQUET):
        guess = " (a guess)" if seen.found and seen.found.guesses else ""
        words.append(f"{detected.encoding}{guess}")
    mapping = seen.mapping
    for role, label in ROLES.items():
        columns = ", ".join(mapping[role]) or "none"
        written = {"timestamp": mapping[FORMAT], "value": mapping[NUMBER_FORMAT]}.get(role)
        words.append(f"{label}: {columns}{f' ({written})' if mapping[role] and written else ''}")
    return words


def role_fields(seen: Look) -> list[RoleField]:
    """The roles; one that may have several columns gets an empty select for another one."""
    fields = []
    columns = seen.prepared.columns if seen.prepared else []
    taken = {column for role in ROLES for column in seen.mapping[role]}
    offered = [
        column for place, column in enumerate(columns) if place < OFFERED_COLUMNS or column in taken
    ]
    for role in ROLES:
        chosen = list(seen.mapping[role])
        if not chosen or role in SEVERAL:
            chosen.append("")
        fields.append(RoleField(role, ROLES[role], HELP[role], offered, chosen))
    return fields


def choice_of(post: QueryDict, seen: Look) -> Choice:
    """The submitted choice. Columns that the page did not offer are ignored."""
    reading = {name: text for name in CHECKS if (text := post.get(name))}
    if guess := post.get("guess"):
        reading["encoding"] = guess
    mapping: dict[str, Any] = {
        role: _columns(post.getlist(role), seen)[: None if role in SEVERAL else 1] for role in ROLES
    }
    if post.get(SHARED) == "none":
        mapping["id"] = []
    pattern = post.get(FORMAT) or None
    offered = [name for name, _ in seen.formats]
    if pattern is not None and pattern not in offered and not reads_years(pattern):
        raise BadRequest("Unknown date format. Choose one from the list.")
    mapping[FORMAT] = pattern
    mapping[ZONE] = post.get(ZONE, "").strip()
    mapping[ZONE_COLUMN] = next(iter(_columns([post.get(ZONE_COLUMN, "")], seen)), "")
    numbers = post.get(NUMBER_FORMAT) or None
    if numbers is not None and numbers not in NUMBER_FORMATS:
        raise BadRequest("Unknown number format. Choose one from the list.")
    mapping[NUMBER_FORMAT] = numbers
    on_conflict = post.get("on_conflict", OnConflict.UPDATE)
    if on_conflict not in OnConflict.values:
        raise BadRequest("Unknown policy for existing records. Choose one from the list.")
    return Choice(
        reading,
        mapping,
        on_conflict,
        post.get("max_rejects", ""),
        is_snapshot=post.get("is_snapshot") == "1",
    )


def zone_field(seen: Look) -> RoleField:
    """The column with the time zone of each row."""
    columns = seen.prepared.columns if seen.prepared else []
    offered = [*columns[:OFFERED_COLUMNS]]
    return RoleField(
        ZONE_COLUMN,
        "Time zone column",
        "The time zone of each row, such as PST or Europe/Vienna.",
        offered,
        [seen.mapping[ZONE_COLUMN]],
    )


def _columns(names: Iterable[str], seen: Look) -> list[str]:
    columns = seen.prepared.columns if seen.prepared else []
    offered = [*columns, *(name for role in ROLES for name in seen.mapping[role])]
    known = {_sent(name): name for name in offered}
    return list(dict.fromkeys(known[_sent(name)] for name in names if _sent(name) in known))


def _sent(name: str) -> str:
    """A name as a browser submits it: with its own line ends."""
    return re.sub("\r\n|\r|\n", "\n", name)


def _format(seen: Look) -> Format:
    return seen.found.dialect.format if seen.found else Format.DELIMITED


def _found(seen: Look) -> dict[str, str]:
    if seen.found is None:
        return {}
    dialect: Dialect = seen.found.dialect
    first = dialect.skip + 1
    last = dialect.skip + dialect.header
    header = "none" if not dialect.header else str(first) if first == last else f"{first}-{last}"
    return {
        "format": str(dialect.format),
        "encoding": seen.found.encoding,
        "delimiter": NAMES.get(dialect.delimiter, dialect.delimiter),
        "quote": dialect.quote or "none",
        "escape": dialect.escape or "none",
        "header": header,
        "skip": str(dialect.skip),
        "sheet": dialect.sheet,
        "rows_path": dialect.rows_path,
    }
