"""What steps ask about the whole source, beyond the batch at work. Pure: no Django, no tables."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Middle(NamedTuple):
    """Where the values of a column lie in one category: how many there are, their median, and how
    far from it values usually are (0.0: they are all the same)."""

    size: int
    median: float
    spread: float


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


class NoFacts:
    """Knows nothing: no value is far from others, and no record is repeated."""

    def middle(self, column: str, by: str, category: str) -> Middle | None:
        return None

    def is_repeated(
        self, columns: Sequence[str], cells: Sequence[object], record_id: str, *, first: bool
    ) -> bool:
        return False


NO_FACTS: Facts = NoFacts()
