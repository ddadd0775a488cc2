"""Records as Parquet, created in a temporary file by DuckDB."""

import errno
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from explore.columns import engine
from explore.columns.schema import distinct, literal, quoted
from explore.columns.staging import LINE_BYTES, csv_options
from explore.export.cells import CLOSED_BY, FACTS, as_text, head_of
from explore.export.errors import TooLargeForParquet
from explore.export.options import Options
from explore.export.pieces import pieces
from explore.export.walk import Columns, Progress, Table

MEDIA_TYPE = "application/vnd.apache.parquet"

# So many cells are in memory at once, as groups of rows of at most so many.
GROUP_CELLS, GROUP_ROWS = 1 << 20, 100_000
TEXT, QUOTE = "VARCHAR", "\x01"
# The types of what is told of records; results have a type for each column.
TYPES = {"record_timestamp": "TIMESTAMPTZ", CLOSED_BY: "BIGINT"}


def content(table: Table, *, options: Options, progress: Progress) -> Iterator[bytes]:
    """The table, each cell of the data as text; raw: these only.

    A column of results is of numbers if doubles hold all of its cells exactly, else of text.
    Raises TooLargeForParquet before the first byte.
    """
    import duckdb

    raw = options.raw
    head = head_of(table.columns, table.result_columns, raw=raw, has_closed=table.has_closed)
    # Not in a generator's first step, but here: who asked is to learn what went wrong.
    with tempfile.TemporaryDirectory(prefix="parquet-") as folder:
        lines = _Lines(len(table.result_columns))
        path, made = Path(folder) / "lines", Path(folder) / "parquet"
        with path.open("wb") as file:
            if raw:
                for rows in table.data(progress):
                    lines.write(file, _cells(rows, table.columns))
            else:
                for chunk in table.chunks(progress):
                    results = _cells(chunk.results, table.result_columns)
                    lines.write(file, _told(chunk, table), results)
        facts = [*FACTS, CLOSED_BY] if table.has_closed else FACTS
        types = [] if raw else [TYPES.get(name, TEXT) for name in facts]
        types += [TEXT] * len(table.columns)
        if not raw:
            types += lines.result_types()
        try:
            _write(path, made, head, types, longest=lines.longest)
        except duckdb.OutOfMemoryException as error:
            raise TooLargeForParquet(len(head)) from error
        except duckdb.IOException as error:
            raise OSError(errno.ENOSPC, "No space left on device") from error
        # It can be read until it is closed, though its folder is gone.
        return pieces(made.open("rb"))


class _Lines:
    """Writes rows as lines for DuckDB, and finds out what their cells are."""

    def __init__(self, results: int) -> None:
        self.longest = 0
        self._are_numbers = [True] * results
        self._are_filled = [False] * results

    def write(
        self, file: IO[bytes], cells: Sequence[Sequence[Any]], results: Sequence[Sequence[Any]] = ()
    ) -> None:
        """Write the rows that these columns of cells make."""
        for place, column in enumerate(results):
            self._are_filled[place] |= any(cell is not None for cell in column)
            self._are_numbers[place] &= all(map(_is_held, column))
        columns = [list(map(_cell, column)) for column in (*cells, *results)]
        rows = ["\t".join(row) + "\n" for row in zip(*columns, strict=True)]
        # A character has at most four bytes.
        self.longest = max(self.longest, 4 * max(map(len, rows), default=0))
        file.write("".join(rows).encode())

    def result_types(self) -> list[str]:
        return [
            "DOUBLE" if numbers and filled else TEXT
            for numbers, filled in zip(self._are_numbers, self._are_filled, strict=True)
        ]


def _told(chunk: Columns, table: Table) -> list[Sequence[Any]]:
    """What is told of each record, and its cells; nothing where it has none."""
    told = [chunk.ids, _or_nothing(chunk.timestamps), chunk.sources, chunk.statuses]
    if table.has_closed:
        told.append(_or_nothing(chunk.closers))
    return [*told, *_cells(chunk.data, table.columns)]


def _or_nothing(texts: Iterable[str]) -> list[str | None]:
    return [text or None for text in texts]


def _cells(rows: Sequence[dict[str, Any]], columns: Iterable[str]) -> list[list[Any]]:
    return [[row.get(column) for row in rows] for column in columns]


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    return QUOTE + as_text(cell).replace(QUOTE, QUOTE * 2) + QUOTE


def _is_held(cell: Any) -> bool:
    """Whether a double holds a cell exactly, if it has one."""
    if cell is None or isinstance(cell, float):
        return True
    if isinstance(cell, bool) or not isinstance(cell, int):
        return False
    try:
        return int(float(cell)) == cell
    except OverflowError:
        return False


def _write(
    lines: Path, made: Path, head: Sequence[str], types: Sequence[str], *, longest: int
) -> None:
    names = [f"c{place}" for place in range(len(types))]
    read = ", ".join(
        f"{literal(name)}: '{of_type}'" for name, of_type in zip(names, types, strict=True)
    )
    cells = ", ".join(
        f"{name} AS {quoted(label)}"
        for name, label in zip(names, distinct(name or "column" for name in head), strict=True)
    )
    line = max(longest, LINE_BYTES)
    rows = max(min(GROUP_CELLS // len(names), GROUP_ROWS), 1)
    with engine.cursor() as duck:
        duck.execute(
            f"COPY (SELECT {cells} FROM read_csv({literal(str(lines))}, "  # noqa: S608 (quoted)
            f"{csv_options()}, parallel = false, max_line_size = {line}, buffer_size = {line}, "
            f"columns = {{{read}}})) TO {literal(str(made))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows})"
        )
