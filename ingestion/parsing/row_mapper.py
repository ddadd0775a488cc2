"""Maps rows to records: their key, their timestamp and their cells as JSON. Pure: no tables."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, cast

import orjson

from ingestion.errors import RowError
from ingestion.parsing.distinct import KeyCells
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN, check_columns
from ingestion.parsing.readers.base import KEPT, KEPT_BYTE
from ingestion.parsing.readers.table import Table
from ingestion.parsing.shared_ids import SharedIds
from ingestion.parsing.timestamps.moments import Moments
from records.dates.zones import home_zone
from records.rows import Row, Rows

# A row as readers yield it: its cells by column.
Cells = Mapping[str, Any]
SURROGATE = re.compile("[\ud800-\udfff]")

MAX_ID_CHARACTERS = 255


def join_key(parts: Sequence[str]) -> str:
    """Several cells as one key: joined by "|", which is escaped in the cells."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def cell_text(cell: Any) -> str:
    """A cell as text, as in a delimited file; "" for null and a missing cell."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    try:
        return orjson.dumps(cell).decode()
    except TypeError:
        # A value that no database can hold is escaped to ASCII; its row is rejected.
        return json.dumps(cell)


class RowMapper:
    """Maps rows to storable rows: the id from the key columns, the timestamp, the data as JSON.

    Without key columns the key is made from the row's content and its occurrence number:
    ``occurrences`` maps a digest to how often it has now been seen in this input. ``members`` are
    the columns in the order in which the database takes the members of JSON fastest.
    """

    def __init__(
        self,
        *,
        source: str,
        columns: Sequence[str],
        mapping: Mapping[str, Any],
        zone: tzinfo,
        occurrences: Callable[[bytes], int],
        members: Sequence[str] | None = None,
    ) -> None:
        check_columns(mapping, columns)
        self._prefix = f"{source}:"
        self._key: list[str] = mapping.get("id") or []
        self._time: list[str] = mapping.get("timestamp") or []
        self._moments = (
            Moments(mapping[FORMAT], _zone(mapping, zone)) if mapping.get(FORMAT) else None
        )
        self._zone: str | None = mapping.get(ZONE_COLUMN)
        self._occurrences = occurrences
        self._members = members
        self._keys = KeyCells()
        # How many rows have an unreadable timestamp, and the first line of these.
        self.unreadable_moments = 0
        self.first_unreadable: int | None = None
        # How many rows were mapped.
        self.seen = 0

    @property
    def moments(self) -> Moments | None:
        """What reads the timestamps, and what it has counted; None without a date format."""
        return self._moments

    @property
    def makes_keys(self) -> bool:
        """Whether keys are made from the content of rows."""
        return not self._key

    @property
    def shared_ids(self) -> SharedIds:
        """The rows so far whose ID is that of an earlier row."""
        repeats = self._keys.repeats()
        return SharedIds(repeats, self._keys.filled - repeats)

    def __call__(self, lines: Sequence[int], rows: Sequence[Cells]) -> Rows | list[Row | RowError]:
        """For each row the row to store, or the reason why it is rejected."""
        self.seen += len(rows)
        texts = _texts(rows, self._members)
        ids = self._ids(rows) if self._key else self._made_ids(rows, texts)
        times = self._times(lines, rows)
        if None not in texts and None not in ids:
            if self._key:
                self._keys.add(cast("list[str]", ids))
            return Rows(cast("list[str]", ids), lines, times, cast("list[str]", texts))
        mapped = [
            self._refusal(row) if key is None or text is None else Row(key, line, time, text)
            for key, line, time, text, row in zip(ids, lines, times, texts, rows, strict=True)
        ]
        if self._key:
            self._keys.add([row.id for row in mapped if isinstance(row, Row)])
        return mapped

    def _ids(self, rows: Sequence[Cells]) -> list[str | None]:
        return ids_of(self._prefix, self._key, rows)

    def _made_ids(self, rows: Sequence[Cells], texts: Sequence[str | None]) -> list[str | None]:
        return [
            None if text is None else self._prefix + self._made_key(row)
            for row, text in zip(rows, texts, strict=True)
        ]

    def _made_key(self, row: Cells) -> str:
        content = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
        made = hashlib.blake2b(content, digest_size=12)
        return f"{made.hexdigest()}-{self._occurrences(made.digest())}"

    def _times(self, lines: Sequence[int], rows: Sequence[Cells]) -> Sequence[str | None]:
        if self._moments is None:
            return [None] * len(rows)
        parts = [column_texts(rows, column) for column in self._time]
        texts = parts[0] if len(parts) == 1 else list(map(" ".join, zip(*parts, strict=True)))
        zones = None if self._zone is None else column_texts(rows, self._zone)
        moments = self._moments(texts, lines, zones)
        if None in moments:
            for line, text, moment in zip(lines, texts, moments, strict=True):
                if moment is None and text.strip():
                    self.unreadable_moments += 1
                    self.first_unreadable = self.first_unreadable or line
        return moments

    def _refusal(self, row: Cells) -> RowError:
        if _texts([row]) == [None]:
            refusal = _unstorable(row)
            cells = {column: row.get(column) for column in self._key}
            if self._key and _texts([cells]) != [None]:
                refusal.id = self._ids([cells])[0] or ""
            return refusal
        parts = [cell_text(row.get(column)) for column in self._key]
        if not any(part.strip() for part in parts):
            names = " and ".join(map(repr, self._key))
            return RowError("missing_key", f"The row has no key: {names} is empty.", self._key[0])
        key = parts[0] if len(parts) == 1 else join_key(parts)
        most = MAX_ID_CHARACTERS - len(self._prefix)
        return RowError(
            "key_too_long",
            f"The key has {len(key)} characters, and the limit is {most}.",
            self._key[0],
        )


def ids_of(prefix: str, columns: Sequence[str], rows: Sequence[Cells]) -> list[str | None]:
    """The ids that key columns make, behind the prefix of the source; None if the key of a row is
    missing or too long."""
    parts = [column_texts(rows, column) for column in columns]
    # A joined key of blank parts consists of its separators.
    said = parts[0] if len(parts) == 1 else list(map("".join, zip(*parts, strict=True)))
    keys = parts[0] if len(parts) == 1 else list(map(join_key, zip(*parts, strict=True)))
    ids = [prefix + key for key in keys]
    if all(map(str.strip, said)) and max(map(len, ids), default=0) <= MAX_ID_CHARACTERS:
        return list(ids)
    return [
        key if text.strip() and len(key) <= MAX_ID_CHARACTERS else None
        for key, text in zip(ids, said, strict=True)
    ]


def _zone(mapping: Mapping[str, Any], home: tzinfo) -> tzinfo:
    """Where times without an offset are local: in the zone of the mapping, else ``home``."""
    return home_zone(mapping.get(ZONE) or "") or home


def column_texts(rows: Sequence[Cells], column: str) -> list[str]:
    """The cells of a column as text."""
    if isinstance(rows, Table):
        return rows.column(column)
    cells: list[Any] = [row.get(column) for row in rows]
    return cells if set(map(type, cells)) <= {str} else list(map(cell_text, cells))


def _texts(rows: Sequence[Cells], members: Sequence[str] | None = None) -> list[str | None]:
    """The rows as JSON; None for one with a value that no database can hold."""
    if isinstance(rows, Table) and (found := rows.json(members)) is not None:
        return list(found)
    return list(map(_text, rows))


def _text(row: Cells) -> str | None:
    try:
        text = orjson.dumps(row)
    except TypeError:
        return None
    if b"\\u0000" in text and any("\0" in part for part in _strings(row)):
        return None
    return text.decode()


def _unstorable(row: Cells) -> RowError:
    for column, cell in row.items():
        for text in _strings({column: cell}):
            if "\0" in text:
                return RowError("nul_character", f"{column!r} contains a NUL character.", column)
            kept = KEPT_BYTE.search(text)
            if kept is not None:
                byte = ord(kept[0]) - KEPT
                return RowError(
                    "bad_bytes",
                    f"The byte 0x{byte:02X} in {column!r} is not valid in the file's encoding.",
                    column,
                )
            if SURROGATE.search(text):
                return RowError(
                    "unpaired_surrogate",
                    f"{column!r} contains half of a surrogate pair, which is not a character.",
                    column,
                )
    return RowError("unstorable", "The row contains a value that can't be stored.")


def _strings(value: Any) -> Iterator[str]:
    """Every text in a value, names and cells, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
