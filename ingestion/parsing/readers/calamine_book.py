"""Old and binary Excel files (.xls, .xlsb), read by a separate process. Pure: no Django."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from ingestion.errors import UnreadableInput
from ingestion.parsing.isolated import ApartError, Busy, call_apart
from ingestion.parsing.isolation import is_limited
from ingestion.parsing.limits import (
    MAX_BOOK_MEMORY,
    MAX_BOOK_SECONDS,
    MAX_MERGED,
    most_unpacked,
)
from ingestion.parsing.readers.books import FIRST_ROWS, Merged, SheetRow, choose
from ingestion.parsing.readers.calamine_sheet import Converted, convert

# How often ``on_chunk`` is called while the other process reads.
WAIT_SECONDS = 1.0


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
        most = most_unpacked(self._path.stat().st_size)
        arguments: dict[str, Any] = {
            "path": self._path,
            "rows": rows,
            "sheet": sheet,
            "most": most,
            "most_merged": MAX_MERGED,
        }
        # A preview has a process with limits already.
        found = convert(**arguments) if is_limited() else self._apart(arguments)
        if found.refusal:
            raise UnreadableInput(self._name, found.refusal)
        return found

    def _apart(self, arguments: dict[str, Any]) -> Converted:
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(
                lambda: call_apart(
                    convert,
                    seconds=MAX_BOOK_SECONDS,
                    memory=MAX_BOOK_MEMORY,
                    waiting=MAX_BOOK_SECONDS,
                    **arguments,
                )
            )
            while True:
                try:
                    return call.result(timeout=WAIT_SECONDS)
                except NotYet:
                    self._on_chunk()
                except Busy as error:
                    raise UnreadableInput(
                        self._name, "other workbooks are being read. Import it again later."
                    ) from error
                except ApartError as error:
                    raise UnreadableInput(
                        self._name,
                        "the workbook is damaged, or takes more than "
                        f"{MAX_BOOK_MEMORY:,} bytes of memory or {MAX_BOOK_SECONDS:,.0f} seconds "
                        "to read. Save it as .xlsx or CSV.",
                    ) from error
