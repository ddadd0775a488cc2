"""The survey: shows the cells of columns over the whole input to observers. Pure: no tables.

``prepare`` passes over an input once before it is mapped. Whatever has to be borne out by all rows
(that a key never repeats, one date format, one number style) is an observer of a column:

    survey = Survey()
    survey.watch(["amount"], styles)          # before the pass
    survey.watch(["date", "time"], dates)     # the cells of a row joined by " "
    survey.run(first, chunks, on_chunk)       # the pass; ``prepare`` makes it
    styles.best                               # after it: what the observer has found

An observer has ``is_open`` and ``add``. It gets the cells of each chunk as one list of texts, the
first rows included unless it was made from these (``knows_first``), and should look at them all at
once rather than one by one. Once it is not open it is shown nothing more, and costs nothing. The
pass ends when no observer is open, so an input of a source whose mapping is remembered is not read
twice. Watch only columns that the first rows make candidates: wide inputs have thousands. What
changes no record, such as the style of plain numbers, may be told while the rows are loaded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingestion.parsing.readers import Chunk
from ingestion.parsing.row_mapper import Cells, column_texts

Join = Callable[[Sequence[str]], str]


class ColumnObserver(Protocol):
    """Looks at the cells of one column, or of several as one text."""

    @property
    def is_open(self) -> bool:
        """Whether further cells may change what it finds."""
        ...

    def add(self, cells: Sequence[str]) -> None:
        """Look at the cells of further rows, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class _Watched:
    columns: tuple[str, ...]
    observer: ColumnObserver
    join: Join
    knows_first: bool


class Survey:
    """The columns that are watched, and one pass over the input."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    def watch(
        self,
        columns: Sequence[str],
        observer: ColumnObserver,
        *,
        join: Join = " ".join,
        knows_first: bool = False,
    ) -> None:
        """Show the cells of a column to an observer; those of several columns are joined.

        One that ``knows_first`` is shown only the rows after the first ones.
        """
        self._watched.append(_Watched(tuple(columns), observer, join, knows_first))

    def run(
        self,
        first: Sequence[Cells],
        more: Iterable[Chunk],
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        """Show the ``first`` rows, and those of ``more`` chunks for as long as an observer is open.

        ``on_chunk`` is called after each chunk.
        """
        _show([watched for watched in self._watched if not watched.knows_first], first)
        chunks = iter(more)
        while (still := self._open()) and (chunk := next(chunks, None)):
            _show(still, chunk.rows)
            on_chunk()

    def _open(self) -> list[_Watched]:
        return [watched for watched in self._watched if watched.observer.is_open]


def _show(watching: Sequence[_Watched], rows: Sequence[Cells]) -> None:
    texts: dict[str, list[str]] = {}
    for watched in watching:
        for column in watched.columns:
            if column not in texts:
                texts[column] = column_texts(rows, column)
        parts = [texts[column] for column in watched.columns]
        joined = list(map(watched.join, zip(*parts, strict=True))) if len(parts) > 1 else parts[0]
        watched.observer.add(joined)
