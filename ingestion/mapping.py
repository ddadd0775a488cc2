"""Which columns play which roles, and what that makes of a row. Pure: no Django, no tables."""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import orjson

from ingestion.errors import MissingColumns, RowError
from ingestion.timestamps import detect_format, parser
from records.rows import ROLES, Row

# The one key under which a mapping holds something other than the columns of a role.
FORMAT = "timestamp_format"

# Of fewer rows one can't say that their cells never repeat.
FEW_ROWS = 20

Roles = dict[str, list[str]]

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


def check_columns(roles: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Raise MissingColumns if a role is played by a column that the input does not have."""
    missing = [
        (role, column)
        for role in ROLES
        for column in roles.get(role) or []
        if column not in columns
    ]
    if missing:
        raise MissingColumns(missing, columns)


def join_key(parts: Sequence[str]) -> str:
    """Several cells as one key: joined by "|", which the cells themselves have escaped."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


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
        self._columns = list(columns)
        self._key = [columns.index(column) for column in mapping.get("id") or []]
        self._time = [columns.index(column) for column in mapping.get("timestamp") or []]
        self._moment = parser(mapping[FORMAT], zone) if mapping.get(FORMAT) else None
        self._occurrences = occurrences
        # Rows whose timestamp cells hold something that is no moment, and the first such line.
        self.unreadable_moments = 0
        self.first_unreadable: int | None = None

    def __call__(self, line: int, cells: Sequence[str]) -> Row:
        """Raises RowError for a row that no record can be made of."""
        data = dict(zip(self._columns, cells, strict=True))
        try:
            text = orjson.dumps(data)
        except TypeError:
            raise self._bad_bytes(cells) from None
        if b"\\u0000" in text:
            self._refuse_nul(cells)
        record_id = self._prefix + (self._written_key(cells) if self._key else self._made_key(data))
        if len(record_id) > MAX_ID_CHARACTERS:
            raise RowError(
                "key_too_long",
                f"The key has {len(record_id) - len(self._prefix)} characters; "
                f"{MAX_ID_CHARACTERS - len(self._prefix)} is the most.",
                self._columns[self._key[0]],
            )
        return Row(record_id, line, self._timestamp(line, cells), text.decode())

    def _written_key(self, cells: Sequence[str]) -> str:
        parts = [cells[index] for index in self._key]
        if not any(part.strip() for part in parts):
            names = " and ".join(repr(self._columns[index]) for index in self._key)
            raise RowError(
                "missing_key", f"The row has no key: {names} is empty.", self._columns[self._key[0]]
            )
        return parts[0] if len(parts) == 1 else join_key(parts)

    def _made_key(self, data: dict[str, str]) -> str:
        content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
        made = hashlib.blake2b(content, digest_size=12)
        return f"{made.hexdigest()}-{self._occurrences(made.digest())}"

    def _timestamp(self, line: int, cells: Sequence[str]) -> datetime | None:
        if self._moment is None:
            return None
        text = " ".join([cells[index] for index in self._time])
        moment = self._moment(text)
        if moment is None and text.strip():
            self.unreadable_moments += 1
            self.first_unreadable = self.first_unreadable or line
        return moment

    def _bad_bytes(self, cells: Sequence[str]) -> RowError:
        for column, cell in zip(self._columns, cells, strict=True):
            for character in cell:
                if "\ud800" <= character <= "\udfff":
                    byte = ord(character) & 0xFF
                    return RowError(
                        "bad_bytes",
                        f"The byte 0x{byte:02X} in {column!r} does not fit the file's encoding.",
                        column,
                    )
        return RowError("unstorable", "The row holds something that can't be stored.")

    def _refuse_nul(self, cells: Sequence[str]) -> None:
        for column, cell in zip(self._columns, cells, strict=True):
            if "\0" in cell:
                raise RowError("nul_character", f"{column!r} holds a NUL character.", column)
