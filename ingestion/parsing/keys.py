"""Finds the key of an input: a column that is filled and never repeats. Pure: no Django, no tables.

The first rows make columns candidates, by what they hold and by their names; the survey then looks
at all rows. A price, a moment or a text that happens not to repeat is no key. Names only decide
where several columns could be the key, or where the rows are too few to tell.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingestion.parsing.distinct import KeyCells
from ingestion.parsing.key_evidence import Evidence, evidence
from ingestion.parsing.key_names import KeyName, key_name
from ingestion.parsing.survey import Survey

# With fewer rows than this, that no cell repeats may be chance; so may be with fewer rows than the
# second number that the key of something else does not repeat, unless it is the first column.
FEW_ROWS = 20
FEW_ROWS_OF_OTHERS = 1_000
# How many candidates are looked at in all rows.
CANDIDATES = 16
# The share of cells that may be blank if the name says that the column is the key, or is like one.
# Their rows are rejected.
MOST_BLANK = {KeyName.KEY: 0.5, KeyName.LIKE_A_KEY: 0.1}


@dataclass(slots=True)
class _Candidate:
    column: str
    place: int
    name: KeyName
    evidence: Evidence
    cells: KeyCells

    @property
    def rank(self) -> tuple[KeyName, int, int]:
        """The lowest is the best."""
        return self.name, -self.evidence, self.place


class KeySearch:
    """Finds the key of an input by a survey.

    ``cells`` are the cells of the columns in the first rows. Those in ``taken`` play other roles,
    and those in ``proposed`` may do so by their names. ``about`` is the name of the file, and
    ``has_moments`` says whether its rows have a timestamp.
    """

    def __init__(
        self,
        cells: Mapping[str, Sequence[str]],
        *,
        taken: Collection[str],
        proposed: Collection[str],
        about: str,
        has_moments: bool,
        survey: Survey,
    ) -> None:
        self._has_moments = has_moments
        self._candidates: list[_Candidate] = []
        # The column whose name promises a key most of all: if it repeats, a note says so.
        self._promised: _Candidate | None = None
        for place, (column, texts) in enumerate(cells.items()):
            name = key_name(column, about=about)
            if column not in taken and (name.promises_a_key or column not in proposed):
                self._consider(column, place, texts, name)
        self._candidates = sorted(self._candidates, key=lambda each: each.rank)[:CANDIDATES]
        watched = [each for each in self._candidates if each is not self._promised]
        if self._promised is not None:
            self._promised.cells = KeyCells()
            watched.append(self._promised)
        for each in watched:
            survey.watch([each.column], each.cells)

    def _consider(self, column: str, place: int, texts: Sequence[str], name: KeyName) -> None:
        filled = [text for text in texts if text.strip()]
        if not filled:
            return
        repeats = len(set(filled)) < len(filled)
        most_blank = MOST_BLANK.get(name, 0.0)
        found = Evidence.NONE if repeats else evidence(filled)
        cells = KeyCells(gives_up=True, most_blank=most_blank)
        candidate = _Candidate(column, place, name, found, cells)
        if not repeats and len(texts) - len(filled) <= len(texts) * most_blank:
            self._candidates.append(candidate)
        if name.promises_a_key and (self._promised is None or candidate.rank < self._promised.rank):
            self._promised = candidate

    def best(self) -> list[str]:
        """The key that was found; empty if there is none. To be called after the survey."""
        for each in self._candidates:
            if self._is_key(each):
                return [each.column]
        return []

    def _is_key(self, each: _Candidate) -> bool:
        cells = each.cells
        rows = cells.filled + cells.blank
        if not cells.never_repeats or cells.blank > rows * MOST_BLANK.get(each.name, 0.0):
            return False
        is_first = each.place == 0
        match each.name:
            case KeyName.KEY:
                return True
            case KeyName.LIKE_A_KEY:
                return each.evidence >= Evidence.POSSIBLE
            case KeyName.OF_OTHERS:
                is_enough = rows >= FEW_ROWS_OF_OTHERS or (is_first and not self._has_moments)
                return each.evidence >= Evidence.POSSIBLE and is_enough
        is_enough = rows >= FEW_ROWS_OF_OTHERS or (is_first and rows >= FEW_ROWS)
        return each.evidence == Evidence.CERTAIN or (each.evidence == Evidence.LIKELY and is_enough)

    def notes(self, key: Sequence[str]) -> Iterator[str]:
        """Sentences on the key, and on the column that people would take for it."""
        for each in self._candidates:
            if [each.column] == key and each.cells.blank:
                yield (
                    f"Rows without a value in {each.column!r}, the ID column: "
                    f"{each.cells.blank:,}. They are rejected."
                )
        promised = self._promised
        if promised is None or [promised.column] == key:
            return
        if (not key or promised.name == KeyName.KEY) and (repeats := promised.cells.repeats()):
            column = promised.column
            yield (
                f"{column!r} is not used as the ID column, because it repeats: rows with the "
                f"{column!r} of an earlier row: {repeats:,}."
            )

    def close(self) -> None:
        """Free memory and disk."""
        for each in self._candidates:
            each.cells.close()
        if self._promised is not None:
            self._promised.cells.close()
