"""Plain values for the write door, without Django, so that pure modules can make them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, overload

from records.reject_codes import NO_DATA

# The roles of columns and their titles, in the order in which pages name them.
ROLES = {"id": "ID", "timestamp": "Timestamp", "value": "Value", "category": "Category"}

# A cell has as many characters as this at the most, in a record and in a result. It is shown,
# compared and sent as a whole.
MAX_CELL_CHARACTERS = 1 << 20


class Row(NamedTuple):
    """A row that can become a record.

    ``data`` is JSON text: an object of the row's cells under the header's names. ``timestamp``
    is as databases take it, "2026-03-04 05:06:07" or with ".000008" behind, in UTC; None where the
    row has none that can be read. ``raw`` are its exact bytes, where the row may yet be rejected
    when it lands.
    """

    id: str
    line: int
    timestamp: str | None
    data: str
    raw: bytes = b""


class Rows(Sequence[Row]):
    """Rows that are kept by column, since most are only looked at and written that way.

    They know no raw bytes.
    """

    def __init__(
        self,
        ids: Sequence[str],
        lines: Sequence[int],
        timestamps: Sequence[str | None],
        data: Sequence[str],
    ) -> None:
        self.ids, self.lines, self.timestamps, self.data = ids, lines, timestamps, data

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return list(self)[place]
        return Row(self.ids[place], self.lines[place], self.timestamps[place], self.data[place])

    def __iter__(self) -> Iterator[Row]:
        return map(Row, self.ids, self.lines, self.timestamps, self.data)

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The lowest and the highest id."""
        return min(self.ids), max(self.ids)


def by_column(rows: Sequence[Row]) -> Rows:
    """Rows as they are written."""
    if isinstance(rows, Rows):
        return rows
    ids, lines, timestamps, data, _ = zip(*rows, strict=True) if rows else ((),) * 5
    return Rows(ids, lines, timestamps, data)


class Reject(NamedTuple):
    """A row that could not become a record: where it stood, its exact bytes, and why.

    ``id`` is that of the record that it would be, where its key can be read.
    """

    line: int
    raw: bytes
    code: str
    message: str
    column: str = ""
    id: str = ""

    @property
    def is_of_any(self) -> bool:
        """Whether it may be a row of any record: it is data, and its key can't be read."""
        # No record has a key that is too long.
        return not self.id and self.code not in NO_DATA and self.code != "key_too_long"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The five counts of an ingestion run: read = created + updated + unchanged + rejected."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.rejected

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
        )


class RawRecord(NamedTuple):
    """A record that waits for processing: which version of it, and its cells."""

    id: str
    version: int
    data: dict[str, Any]


class Outcome(NamedTuple):
    """What a rule set made of one record as it stood in ``version``.

    ``processed`` is the cleaned data as JSON text, None where validation failed. ``errors`` and
    ``repairs`` are lists as ProcessingResult documents them; ``value`` and ``category`` the two
    mapped cells; ``repaired`` says that a repair made the value, ``unread`` that its cell could not
    be read as a number. ``anomaly`` is the reason, in words, why the record is out of the ordinary;
    None for one that is not. A tuple, as there is one for each record: ``zip(*outcomes)`` gives
    columns.
    """

    record_id: str
    version: int
    success: bool
    processed: str | None = None
    error_message: str | None = None
    errors: Sequence[dict[str, Any]] = ()
    repairs: Sequence[dict[str, Any]] = ()
    value: float | None = None
    category: str | None = None
    repaired: bool = False
    unread: bool = False
    anomaly: str | None = None
    seconds: float = 0.0


class FormerOutcome(NamedTuple):
    """What the current result of a record says, in the words of Outcome.

    ``said`` is success, error_message, value, category, repaired and anomaly: as a database gives
    them, so true may be 1.
    """

    record_id: str
    said: Sequence[Any]
    processed: dict[str, Any] | None
    errors: list[dict[str, Any]]
    repairs: list[dict[str, Any]]

    @property
    def success(self) -> bool:
        return bool(self.said[0])

    @property
    def anomaly(self) -> str | None:
        reason: str | None = self.said[5]
        return reason


@dataclass(frozen=True, slots=True)
class ProcessingCounts:
    """The counts of a pass of processing; ``repaired`` counts processed records with a repair,
    ``filled`` those with a value, and ``unread`` those whose value could not be read."""

    processed: int = 0
    failed: int = 0
    repaired: int = 0
    filled: int = 0
    unread: int = 0

    def __add__(self, other: "ProcessingCounts") -> "ProcessingCounts":
        return ProcessingCounts(
            self.processed + other.processed,
            self.failed + other.failed,
            self.repaired + other.repaired,
            self.filled + other.filled,
            self.unread + other.unread,
        )
