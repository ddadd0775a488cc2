"""Tells how the numbers of the value column are written, and what of them can't be read. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ingestion.parsing.batches import HasChunks
from ingestion.parsing.readers import Chunk
from ingestion.parsing.row_mapper import column_texts
from records.complements import complements
from records.json_text import storable
from records.notes import warning
from records.number_decision import FORMATS, SIGNS, described, format_of, spelled
from records.number_styles import NumberColumn, Numbers
from records.number_text import PLAIN, Style, reader, style_of

# Keys of a mapping: column -> its style; and the format that was given for the value column.
NUMBERS = "numbers"
NUMBER_FORMAT = "number_format"
# The share of filled values from which unreadable ones are no exception.
TOO_MANY = 0.01


def known_styles(mapping: Mapping[str, Any]) -> dict[str, Style]:
    """The styles of columns that a mapping has."""
    return {column: style_of(style) for column, style in (mapping.get(NUMBERS) or {}).items()}


def known_style(mapping: Mapping[str, Any], column: str) -> Style | None:
    """The style that a mapping has for a column; None if it has none."""
    return known_styles(mapping).get(column)


def chosen_format(mapping: Mapping[str, Any], column: str) -> str:
    """The format of a column as the mapping has it: that of plain numbers unless it says more."""
    return format_of(known_style(mapping, column) or PLAIN)


def formats_for(text: str, first: Sequence[Style]) -> list[tuple[str, str]]:
    """The formats that read a number, each with its reading; those of ``first`` come first."""
    styles = dict.fromkeys((*first, *SIGNS))
    return [
        (format_of(style), f"{text.strip()[:40]} is {spelled(number)}")
        for style in styles
        if (number := reader(style)(text)) is not None
    ]


def offered_formats(cells: Sequence[str], style: Style) -> list[tuple[str, str]]:
    """All formats; that of the style comes first, with its reading of the most telling cell."""
    # A number with more signs tells more.
    telling = sorted(cells, key=lambda cell: -len(set(cell.strip()) - set("0123456789")))
    read = reader(style)
    example = next((cell for cell in telling if read(cell) is not None), None)
    reading = "no number of this file" if example is None else ""
    if example is not None:
        reading = f"{example.strip()[:40]} is {spelled(read(example))}"
    others = [(name, "as in this example") for name in FORMATS if name != format_of(style)]
    return [(format_of(style), reading), *others]


@dataclass(slots=True)
class NumberSearch:
    """What is looked for in a value column: its style, or the rest of one that was given."""

    column: str
    numbers: NumberColumn
    given: Style | None

    @property
    def is_plain(self) -> bool:
        """Whether the cells so far are plain numbers beyond doubt, some with a decimal point."""
        found = self.numbers.found(known=self.given)
        is_told = bool(found.filled) and not (found.doubt or found.notes or found.is_whole)
        return is_told and self.given is None and found.style == PLAIN

    def found(self, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> Numbers:
        """What was found in the whole column; the first rows of others settle a doubt."""
        found = self.numbers.found(known=self.given)
        if found.doubt is None:
            return found
        others = {name: place for place, name in enumerate(columns) if name != self.column}
        signs = {_decimal([row[place] for row in sample]) for place in others.values()} - {""}
        return self.numbers.found(decimal=signs.pop()) if len(signs) == 1 else found


def search_for(
    column: str, named: Mapping[str, Any], remembered: Mapping[str, Any]
) -> NumberSearch | None:
    """What looks for the style of a value column, unless the source knows both."""
    given = named.get(NUMBER_FORMAT)
    if not given and (known_style(named, column) or remembered.get("value") == [column]):
        return None
    return NumberSearch(column, NumberColumn(), FORMATS[given] if given else None)


def _decimal(cells: Sequence[str]) -> str:
    """The decimal sign of a column, "" unless it is beyond doubt."""
    column = NumberColumn(always=True)
    column.add(cells)
    found = column.found()
    is_sure = not (found.doubt or found.notes or found.is_whole or found.unread)
    return found.style.decimal if is_sure and found.filled else ""


def pair_notes(
    column: str, columns: Sequence[str], sample: Sequence[Sequence[str]]
) -> Iterator[str]:
    """What to do about a value column that is one of two, such as debit and credit."""
    cells = {name: [row[place] for row in sample] for place, name in enumerate(columns)}
    halves = [name for name in columns if any(not cell.strip() for cell in cells[name])]
    numbers = [name for name in halves if name == column or _are_numbers(cells[name])]
    pair = complements({name: cells[name] for name in numbers}) if column in numbers else None
    if pair is not None and column in pair:
        yield (
            f"{pair[0]!r} and {pair[1]!r} complement each other: exactly one is filled in each "
            "row. “Suggest rules” on the page of the rules makes one signed value of them."
        )


def _are_numbers(cells: Sequence[str]) -> bool:
    column = NumberColumn(always=True)
    column.add(cells)
    found = column.found()
    return found.filled > 0 and not found.unread


def sentences(column: str, found: Numbers) -> Iterator[str]:
    """What was found, for the notes of a run; nothing about plain numbers, or about a doubt."""
    if found.style != PLAIN and found.doubt is None:
        yield f"The numbers in {column!r} are read {described(found.style)}."
    for note in found.notes:
        yield f"{column!r}: {note}"


def doubtful(column: str, found: Numbers) -> Iterator[str]:
    """A warning if the rows, which are imported, leave the style in doubt."""
    if found.doubt is not None:
        (best, first), (rival, second) = found.doubt.readings
        yield warning(
            f"The numbers in {column!r} are ambiguous: {found.doubt.text!r} is {first} as {best}, "
            f"by which they are read, but {second} as {rival}. If that is meant, set the number "
            "format and reprocess."
        )


@dataclass(frozen=True, slots=True)
class ValueCells:
    """How many cells of a value column are filled, how many of them can't be read as numbers, and
    the first of these with their lines."""

    column: str
    filled: int
    unread: int
    examples: tuple[tuple[int, str], ...]

    @property
    def is_bad(self) -> bool:
        """Whether they are too many to be exceptions."""
        return self.unread > self.filled * TOO_MANY

    @property
    def share(self) -> float:
        """The share of filled values that can't be read, in percent."""
        return self.unread * 100 / self.filled if self.filled else 0.0

    @property
    def listed(self) -> str:
        """The first examples, in words."""
        return ", ".join(f"{text!r} in line {line:,}" for line, text in self.examples)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"examples": [[line, storable(text)] for line, text in self.examples]}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "ValueCells | None":
        """What ``as_json`` gave; None as long as a run has not found anything."""
        if "filled" not in found:
            return None
        examples = tuple((line, text) for line, text in found["examples"])
        return cls(found["column"], found["filled"], found["unread"], examples)

    def warning(self) -> str:
        """What to do about too many unreadable values."""
        return (
            f"{self.share:.1f} % of the values in {self.column!r} can't be read. Set "
            f"the number format, such as --number-format '{format_of(Style(',', '.'))}', or choose "
            "another value column, and import the file again."
        )

    def sentence(self) -> str:
        """What can't be read, with the first examples."""
        return (
            f"{self.unread:,} of {self.filled:,} values in {self.column!r} can't be read as "
            f"numbers, such as {self.listed}. By default they become 0.0."
        )


class ValueWatch:
    """Watches the value column while the rows of an input are read."""

    def __init__(
        self, reader: HasChunks, column: str, style: Style | None, *, widens: bool
    ) -> None:
        """``style`` is the one that the source's rules read by; with ``widens`` it takes on what
        else the cells have."""
        self._reader = reader
        self._column = column
        self._style, self.widens = style, widens
        self._numbers = NumberColumn(always=True)

    def chunks(self, size: int) -> Iterator[Chunk]:
        for chunk in self._reader.chunks(size):
            self._numbers.add(column_texts(chunk.rows, self._column), chunk.lines)
            yield chunk

    def found(self) -> tuple[Style, ValueCells]:
        """The style, and what it can't read."""
        found = self._numbers.found(
            known=self._style or PLAIN, is_sure=self._style is not None, widens=self.widens
        )
        return found.style, self._cells(found)

    def decided(self) -> tuple[Numbers, ValueCells]:
        """The style that all the cells tell, whatever was known before, and what it can't read."""
        found = self._numbers.found()
        return found, self._cells(found)

    def _cells(self, found: Numbers) -> ValueCells:
        return ValueCells(self._column, found.filled, found.unread, found.examples)
