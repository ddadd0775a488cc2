"""What steps ask beyond the batch at work: about the whole source, and about others.

Pure: no Django, no tables.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Middle(NamedTuple):
    """Where the values of a column lie in one category: how many there are, their median, and how
    far from it values usually are (0.0: they are all the same)."""

    size: int
    median: float
    spread: float


class Reference(NamedTuple):
    """Columns of another source that a step takes, by the cells of its column ``key``."""

    source: str
    key: str
    columns: tuple[str, ...]


class Matched(NamedTuple):
    """The records of another source with one key: how many there are, and the cells of one."""

    records: int
    cells: Sequence[object]


class Table(NamedTuple):
    """What a reference holds, by key; or ``problem``, why it can't be used: "there is no ..."."""

    matched: Mapping[str, Matched]
    problem: str = ""


class Facts(Protocol):
    """Answers about the source as it was at one moment, so that the outcome of a record does not
    depend on the batch that it is processed in, nor on who processes it."""

    def middle(self, column: str, by: str, category: str) -> Middle | None:
        """Where the values of ``column`` lie in the records whose cell of ``by`` is ``category``;
        ``by`` is empty where a column is taken as a whole. None if that is not known."""
        ...

    def is_repeated(
        self, columns: Sequence[str], cells: Sequence[object], record_id: str, *, first: bool
    ) -> bool:
        """Whether other records of the source have the same cells; with ``first``, only if one of
        them has a smaller id."""
        ...

    def table(self, reference: Reference) -> Table | None:
        """What another source holds, as its rows were read. None if that is not known."""
        ...


class NoFacts:
    """Knows nothing: no value is far from others, no record is repeated, no other source known."""

    def middle(self, column: str, by: str, category: str) -> Middle | None:
        return None

    def is_repeated(
        self, columns: Sequence[str], cells: Sequence[object], record_id: str, *, first: bool
    ) -> bool:
        return False

    def table(self, reference: Reference) -> Table | None:
        return None


NO_FACTS: Facts = NoFacts()
