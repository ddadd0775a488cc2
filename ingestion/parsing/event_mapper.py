"""Maps events to records: the key may be an ID of the event itself. Pure: no Django, no tables."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from ingestion.parsing.cloud_events import OWN_ID
from ingestion.parsing.row_mapper import MAX_ID_CHARACTERS, Cells, RowMapper, cell_text, join_key


def own_id(prefix: str, row: Cells) -> str | None:
    """The record ID that a CloudEvent makes; None for any other event.

    It is made of source and ID, as only these together are unique; of a digest if it is too long.
    """
    source, number = (cell_text(row.get(column)) for column in OWN_ID)
    if not number.strip():
        return None
    key = join_key([source, number])
    if len(prefix) + len(key) > MAX_ID_CHARACTERS:
        key = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=20).hexdigest()
    return prefix + key


class EventMapper(RowMapper):
    """Maps events: the key is in the key columns, else it is the event's own ID.

    An event without either is rejected if the source has key columns. Else its key is what
    ``made_key`` makes for its number, or is made from its content, as for other rows.
    """

    def __init__(self, *, made_key: Callable[[int], str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._made = made_key
        self._lines: Sequence[int] = ()

    def __call__(self, lines: Sequence[int], rows: Sequence[Cells]) -> Any:
        """For each row the row to store, or the reason why it is rejected."""
        self._lines = lines
        return super().__call__(lines, rows)

    def _ids(self, rows: Sequence[Cells]) -> list[str | None]:
        found = super()._ids(rows)
        if None not in found:
            return found
        return [
            own_id(self._prefix, row) if key is None and self._has_no_key(row) else key
            for key, row in zip(found, rows, strict=True)
        ]

    def _has_no_key(self, row: Cells) -> bool:
        return not any(cell_text(row.get(column)).strip() for column in self._key)

    def _made_ids(self, rows: Sequence[Cells], texts: Sequence[str | None]) -> list[str | None]:
        return [
            None if text is None else own_id(self._prefix, row) or self._without_id(line, row)
            for line, row, text in zip(self._lines, rows, texts, strict=True)
        ]

    def _without_id(self, line: int, row: Cells) -> str:
        made = self._made_key(row) if self._made is None else self._made(line)
        return self._prefix + made
