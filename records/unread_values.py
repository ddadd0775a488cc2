"""Sources of which too many values could not be read as numbers, with the first of these."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F

from records.models import ProcessingResult, ValueCount

# The share of filled values from which unreadable ones are no exception, in percent.
TOO_MANY = 1
EXAMPLES = 3
# How much of a cell is shown.
CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Example:
    """A value that could not be read: its record, the line that it came from, and its text."""

    record: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class UnreadValues:
    """How many values of a source could not be read, and the first of these."""

    source: str
    filled: int
    unread: int
    examples: list[Example]

    @property
    def share(self) -> float:
        """The share of filled values that could not be read, in percent."""
        return self.unread * 100 / self.filled

    def sentence(self) -> str:
        """The same in words, for the terminal."""
        listed = ", ".join(f"{one.text!r} in {one.record}" for one in self.examples)
        return (
            f"{self.share:.1f} % of the values of {self.source} can't be read as numbers: "
            f"{self.unread:,} of {self.filled:,}, such as {listed}."
        )


def unread_values(source: str | None = None) -> list[UnreadValues]:
    """The sources, or the one, of which too many values can't be read, in the order of names."""
    # Whole numbers on both sides, as databases divide in different ways.
    counts = ValueCount.objects.annotate(hundredfold=F("unread") * 100, most=F("filled") * TOO_MANY)
    counts = counts.filter(hundredfold__gt=F("most")).order_by("source")
    if source is not None:
        counts = counts.filter(source=source)
    return [
        UnreadValues(count.source, count.filled, count.unread, _examples(count.source))
        for count in counts
    ]


def _examples(source: str) -> list[Example]:
    """The first values of a source that could not be read; an index knows them."""
    unread = ProcessingResult.objects.of_source(source).filter(current=True, unread=True)
    rows = unread.order_by("record_id").values_list("record_id", "record__line", "repairs")
    return [Example(record, line, _text(repairs)) for record, line, repairs in rows[:EXAMPLES]]


def _text(repairs: list[dict[str, Any]]) -> str:
    """What stood in the cell that the number rule repaired."""
    before = next((r.get("before") for r in repairs if r.get("rule") == "number"), "")
    return str(before)[:CHARACTERS]
