"""Which columns play which roles, and what that makes of a row. Pure: no Django, no tables."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import orjson

from ingestion.errors import MissingColumns, RowError
from ingestion.readers.base import KEPT, KEPT_BYTE
from ingestion.timestamps import detect_format, parser
from records.rows import ROLES, Row

# The one key under which a mapping holds something other than the columns of a role.
FORMAT = "timestamp_format"

# Of fewer rows one can't say that their cells never repeat.
FEW_ROWS = 20

Roles = dict[str, list[str]]
# A row as readers give it: its cells by column.
Cells = dict[str, Any]
SURROGATE = re.compile("[\ud800-\udfff]")

MAX_ID_CHARACTERS = 255

# Names that say their role outright, in order of preference; compared in small letters, with
# every run of other characters as one blank.
NAMES = {
    "timestamp": (
        "timestamp", "datetime", "date time", "occurred at", "recorded at", "measured at",
        "created at", "ordered at", "opened at", "created", "opened", "date", "time", "day",
        "order date", "flight date", "transaction date", "year month", "month",
    ),
    "value": (
        "value", "amount", "total", "total amount", "sales", "revenue", "price", "cost", "sum",
        "reading", "measurement", "score", "quantity", "count", "duration", "minutes",
    ),
    "category": (
        "category", "type", "kind", "class", "group", "segment", "product line", "product type",
        "department", "topic", "label", "indicator",
    ),
}  # fmt: skip
# Words that say it as a part of a longer name.
WORDS = {
    "timestamp": ("timestamp", "date", "datetime"),
    "value": ("value", "amount", "total", "price", "cost", "revenue", "minutes", "score"),
    "category": ("category", "type", "kind", "segment"),
}


def column_names(text: str) -> list[str]:
    """Names of columns as a user lists them: separated by commas, in quotes if they have one."""
    (names,) = csv.reader([text], skipinitialspace=True)
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def propose(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Roles:
    """The roles that the columns' names suggest, so far as the first rows bear them out.

    A column is proposed as the key only if nearly all of its cells differ, unless its name is
    "id" outright; as the timestamp if its cells can be read as dates; as the value if
    most of its filled cells are numbers.
    """
    names = {column: _plain(column) for column in columns}
    cells = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    roles: Roles = {role: [] for role in ROLES}
    roles["id"] = _propose_id(names, cells)
    free = [column for column in columns if column not in roles["id"]]
    roles["timestamp"] = _propose_timestamp(free, names, cells)
    free = [column for column in free if column not in roles["timestamp"]]
    roles["value"] = _first(free, names, "value", lambda c: _mostly_numbers(cells[c]))
    free = [column for column in free if column not in roles["value"]]
    roles["category"] = _first(free, names, "category", lambda c: not _is_unlike_any(cells[c]))
    return roles


def _plain(column: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return re.sub(r"[\W_]+", " ", spaced).strip().lower()


def _propose_id(names: Mapping[str, str], cells: Mapping[str, list[str]]) -> list[str]:
    for column, name in names.items():
        if name == "id":
            return [column]
    for column, name in names.items():
        words = name.split()
        is_key = bool(words) and (words[-1] in ("id", "uuid", "guid", "key"))
        if is_key and _mostly_differ(cells[column]):
            return [column]
    return []


def _propose_timestamp(
    columns: Sequence[str], names: Mapping[str, str], cells: Mapping[str, list[str]]
) -> list[str]:
    by_name = {names[column]: column for column in columns}
    if "date" in by_name and "time" in by_name:
        pair = [by_name["date"], by_name["time"]]
        joined = [" ".join(parts) for parts in zip(*(cells[c] for c in pair), strict=True)]
        if detect_format(joined)[0]:
            return pair
    return _first(columns, names, "timestamp", lambda c: detect_format(cells[c])[0] is not None)


def _first(
    columns: Sequence[str],
    names: Mapping[str, str],
    role: str,
    borne_out: Callable[[str], bool],
) -> list[str]:
    exact = sorted(
        (column for column in columns if names[column] in NAMES[role]),
        key=lambda column: NAMES[role].index(names[column]),
    )
    partly = [c for c in columns if c not in exact and set(names[c].split()) & set(WORDS[role])]
    for column in (*exact, *partly):
        if borne_out(column):
            return [column]
    return []


def _mostly_differ(cells: Sequence[str]) -> bool:
    """Whether cells look like those of a key: a few may repeat, be missing or be damaged."""
    return len({cell for cell in cells if cell.strip()}) > len(cells) * 0.9


def _is_unlike_any(cells: Sequence[str]) -> bool:
    """Whether no two of a fair number of cells are alike: such a column sorts nothing."""
    return len(cells) >= FEW_ROWS and len(set(cells)) == len(cells)


def _mostly_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and sum(map(_is_number, filled)) * 2 >= len(filled)


def _is_number(cell: str) -> bool:
    # "1.234,5" and "45,06" are numbers to the eye, which is what a proposal goes by.
    return re.fullmatch(r"\s*[-+]?[\d.,' ]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*%?\s*", cell) is not None


def missing_columns(mapping: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[str, str]]:
    """The roles that are played by columns which the input does not have, and these columns."""
    return [
        (role, column)
        for role in ROLES
        for column in mapping.get(role) or []
        if column not in columns
    ]


def check_columns(mapping: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Raise MissingColumns if a role is played by a column that the input does not have."""
    if missing := missing_columns(mapping, columns):
        raise MissingColumns(missing, columns)


def join_key(parts: Sequence[str]) -> str:
    """Several cells as one key: joined by "|", which the cells themselves have escaped."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def cell_text(cell: Any) -> str:
    """A cell as text: what a delimited file would say; "" for null and a cell that is not there."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    try:
        return orjson.dumps(cell).decode()
    except TypeError:
        # What no database can hold deep in it is said in ASCII; its row is rejected.
        return json.dumps(cell)


class RowMapper:
    """Rows -> rows that can land: the id by the key columns, the moment, and the data as JSON.

    Without key columns the key is made from the row's content and its occurrence number:
    ``occurrences`` maps a digest to how often it has now been seen in this input.
    """

    def __init__(
        self,
        *,
        source: str,
        columns: Sequence[str],
        mapping: Mapping[str, Any],
        zone: tzinfo,
        occurrences: Callable[[bytes], int],
    ) -> None:
        check_columns(mapping, columns)
        self._prefix = f"{source}:"
        self._key: list[str] = mapping.get("id") or []
        self._time: list[str] = mapping.get("timestamp") or []
        self._moment = parser(mapping[FORMAT], zone) if mapping.get(FORMAT) else None
        self._occurrences = occurrences
        # Rows whose timestamp cells hold something that is no moment, and the first such line.
        self.unreadable_moments = 0
        self.first_unreadable: int | None = None

    @property
    def makes_keys(self) -> bool:
        """Whether keys are made of content, so that every row of the input has to be seen."""
        return not self._key

    def __call__(self, lines: Sequence[int], rows: Sequence[Cells]) -> list[Row | RowError]:
        """For each row what lands of it, or why no record can be made of it."""
        texts = _texts_of(rows)
        ids = None if texts is None else self._ids(rows)
        if texts is None or ids is None:
            # One of them is not as it should be.
            return [self._single(line, row) for line, row in zip(lines, rows, strict=True)]
        moments = self._moments(lines, rows)
        return list(map(Row, ids, lines, moments, texts))

    def _ids(self, rows: Sequence[Cells]) -> list[str] | None:
        if not self._key:
            return [self._prefix + self._made_key(row) for row in rows]
        parts = [_column(rows, column) for column in self._key]
        keys = parts[0] if len(parts) == 1 else list(map(join_key, zip(*parts, strict=True)))
        # Blank parts of a joined key leave its bars.
        if not all(
            map(str.strip, keys if len(parts) == 1 else map("".join, zip(*parts, strict=True)))
        ):
            return None
        ids = [self._prefix + key for key in keys]
        return ids if max(map(len, ids), default=0) <= MAX_ID_CHARACTERS else None

    def _moments(self, lines: Sequence[int], rows: Sequence[Cells]) -> Sequence[datetime | None]:
        if self._moment is None:
            return [None] * len(rows)
        parts = [_column(rows, column) for column in self._time]
        texts = parts[0] if len(parts) == 1 else list(map(" ".join, zip(*parts, strict=True)))
        moments = list(map(self._moment, texts))
        if None in moments:
            for line, text, moment in zip(lines, texts, moments, strict=True):
                if moment is None and text.strip():
                    self.unreadable_moments += 1
                    self.first_unreadable = self.first_unreadable or line
        return moments

    def _single(self, line: int, row: Cells) -> Row | RowError:
        texts = _texts_of([row])
        if texts is None:
            return _unstorable(row)
        ids = self._ids([row])
        if ids is None:
            return self._unfit_key(row)
        return Row(ids[0], line, self._moments([line], [row])[0], texts[0])

    def _made_key(self, row: Cells) -> str:
        content = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
        made = hashlib.blake2b(content, digest_size=12)
        return f"{made.hexdigest()}-{self._occurrences(made.digest())}"

    def _unfit_key(self, row: Cells) -> RowError:
        parts = [cell_text(row.get(column)) for column in self._key]
        if not any(part.strip() for part in parts):
            names = " and ".join(map(repr, self._key))
            return RowError("missing_key", f"The row has no key: {names} is empty.", self._key[0])
        key = parts[0] if len(parts) == 1 else join_key(parts)
        most = MAX_ID_CHARACTERS - len(self._prefix)
        return RowError(
            "key_too_long",
            f"The key has {len(key)} characters; {most} is the most.",
            self._key[0],
        )


def _column(rows: Sequence[Cells], column: str) -> list[str]:
    """The cells of a column as text."""
    cells: list[Any] = [row.get(column) for row in rows]
    return cells if set(map(type, cells)) <= {str} else list(map(cell_text, cells))


def _texts_of(rows: Sequence[Cells]) -> list[str] | None:
    """The rows as JSON; None if one of them holds what no database can hold."""
    try:
        texts = [orjson.dumps(row) for row in rows]
    except TypeError:
        return None
    if b"\\u0000" in b"".join(texts) and any(
        "\0" in text for row in rows for text in _strings(row)
    ):
        return None
    return [text.decode() for text in texts]


def _unstorable(row: Cells) -> RowError:
    for column, cell in row.items():
        for text in _strings({column: cell}):
            if "\0" in text:
                return RowError("nul_character", f"{column!r} holds a NUL character.", column)
            kept = KEPT_BYTE.search(text)
            if kept is not None:
                byte = ord(kept[0]) - KEPT
                return RowError(
                    "bad_bytes",
                    f"The byte 0x{byte:02X} in {column!r} does not fit the file's encoding.",
                    column,
                )
            if SURROGATE.search(text):
                return RowError(
                    "unpaired_surrogate",
                    f"{column!r} holds half of a surrogate pair, which is no character.",
                    column,
                )
    return RowError("unstorable", "The row holds something that can't be stored.")


def _strings(value: Any) -> Iterator[str]:
    """Every text in a value: names and cells, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
