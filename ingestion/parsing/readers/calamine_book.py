"""Old and binary Excel files (.xls, .xlsb), read by a separate process. Pure: no Django."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import orjson

from ingestion.errors import UnreadableInput
from ingestion.parsing.limits import MAX_MERGED, most_unpacked
from ingestion.parsing.readers.apart import read_apart
from ingestion.parsing.readers.books import FIRST_ROWS, Merged, SheetRow, choose
from ingestion.parsing.readers.calamine_sheet import Converted, convert


class CalamineBook:
    """An old or binary Excel file; see Book. Its rows are read from a temporary file."""

    notes: list[str] = []

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        sheet: str,
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._name = path, name
        self._on_chunk = on_chunk
        self._folder = tempfile.TemporaryDirectory()
        self._size, self._read = 1, 0
        self.merged: list[Merged] = []
        try:
            found = self._convert(None, "")
            self.sheets, self.hidden = found.sheets, found.hidden
            self._heads = found.heads
            self.sheet = choose(self.sheets, self.hidden, sheet, self._has_cells, name=name)
        except BaseException:
            self._folder.cleanup()
            raise

    @property
    def share_read(self) -> float:
        return self._read / self._size

    def report_reads(self, on_chunk: Callable[[], None] | None) -> None:
        """Nothing to report: all of the file has been read on opening."""

    def close(self) -> None:
        self._folder.cleanup()

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet, with their numbers from 1."""
        rows = Path(self._folder.name) / "rows"
        found = self._convert(rows, sheet)
        self.merged = [Merged(*merged) for merged in found.merged]
        self._size, self._read = max(rows.stat().st_size, 1), 0
        with rows.open("rb") as file:
            for number, line in enumerate(file, start=1):
                self._read += len(line)
                yield number, orjson.loads(line)

    def first_rows(self, sheet: str, last: int) -> Iterator[SheetRow]:
        """The rows of a sheet up to a number; if they are many, they are all read."""
        if last > FIRST_ROWS or sheet not in self._heads:
            return takewhile(lambda row: row[0] <= last, self.rows(sheet))
        return iter(list(enumerate(self._heads[sheet], start=1))[:last])

    def _has_cells(self, sheet: str) -> bool:
        return any(self._heads.get(sheet, ()))

    def _convert(self, rows: Path | None, sheet: str) -> Converted:
        found = read_apart(
            convert,
            name=self._name,
            what="workbook",
            advice="Save it as .xlsx or CSV.",
            on_chunk=self._on_chunk,
            path=self._path,
            rows=rows,
            sheet=sheet,
            most=most_unpacked(self._path.stat().st_size),
            most_merged=MAX_MERGED,
        )
        if found.refusal:
            raise UnreadableInput(self._name, found.refusal)
        return found
