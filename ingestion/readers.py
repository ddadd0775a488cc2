"""Bytes -> rows: reads delimited text lazily. Pure: no Django, no tables."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ingestion.detection import Dialect
from ingestion.errors import RowError, UnreadableInput

# A cell may have as many characters as this; a longer one makes its row a rejected row.
MAX_CELL_CHARACTERS = 1 << 20
csv.field_size_limit(MAX_CELL_CHARACTERS)

# What does not fit the encoding comes through as lone surrogates, a byte each, so that it is found
# in its row and can be turned back. Python's "surrogateescape" does it for some encodings only.
KEEP_BYTES = "keep-bytes"
KEPT = 0xDC00
KEPT_BYTE = re.compile("([\udc00-\udcff])")


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(KEPT + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(KEEP_BYTES, _keep_bytes)


class DelimitedReader:
    """The rows of a delimited text, with the line each begins in and its exact bytes.

    Iterate it once, in a ``with`` block. ``columns`` are the header's names, made unique; each
    item is ``(line, cells)`` with as many cells as there are columns, or ``(line, RowError)`` for
    a row that can't be read. ``raw()`` gives the bytes of the item that was handed out last.

    Quotes are read strictly (RFC 4180): where a row breaks the rules, or its quote is never
    closed, only the line it begins in is given up, and reading goes on in the next one.
    """

    def __init__(self, path: Path, *, name: str, encoding: str, dialect: Dialect) -> None:
        self._name = name
        self._dialect = dialect
        self._bytes = path.open("rb")
        self._file = io.TextIOWrapper(self._bytes, encoding=encoding, errors=KEEP_BYTES, newline="")
        self._encoding = encoding
        self._taken: list[str] = []
        self._returned = deque([self._file.readline().removeprefix("\ufeff")])
        self._line = 1
        self.blank_rows = 0
        self._rows = self._read()
        self.notes: list[str] = []
        try:
            self.columns = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, list[str] | RowError]]:
        width = len(self.columns)
        for line, cells in self._rows:
            if isinstance(cells, RowError) or len(cells) == width:
                yield line, cells
            elif not cells:
                self.blank_rows += 1
            else:
                yield line, _ragged(len(cells), width)

    def raw(self) -> bytes:
        """The bytes of the row that was handed out last, with its line end."""
        text = "".join(self._taken)
        return b"".join(
            bytes([ord(part) - KEPT]) if KEPT_BYTE.fullmatch(part) else part.encode(self._encoding)
            for part in KEPT_BYTE.split(text)
        )

    def bytes_read(self) -> int:
        """How far the file has been read; a little ahead of the rows handed out."""
        return self._bytes.tell()

    def _lines(self) -> Iterator[str]:
        while True:
            line = self._returned.popleft() if self._returned else self._file.readline()
            if not line:
                return
            self._taken.append(line)
            yield line

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(
            self._lines(),
            delimiter=self._dialect.delimiter,
            quotechar=self._dialect.quote,
            escapechar=self._dialect.escape,
            strict=True,
        )

    def _read(self) -> Iterator[tuple[int, list[str] | RowError]]:
        reader = self._reader()
        while True:
            self._taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # The row may have swallowed sound lines: they are read again as rows of their own.
                self._returned.extendleft(reversed(self._taken[1:]))
                del self._taken[1:]
                yield self._line, _malformed(error)
                self._line += 1
                reader = self._reader()
                continue
            taken = len(self._taken)
            yield self._line, cells
            self._line += taken

    def _read_header(self) -> list[str]:
        for line, cells in self._rows:
            if isinstance(cells, RowError):
                raise UnreadableInput(self._name, f"line {line}, its header: {cells.message}")
            if cells:
                return self._unique_names(line, cells)
        raise UnreadableInput(self._name, "it has no header row.")

    def _unique_names(self, line: int, cells: Sequence[str]) -> list[str]:
        names: list[str] = []
        unnamed: list[int] = []
        written = set(cells)
        for number, cell in enumerate(cells, start=1):
            if "\0" in cell or not _is_text(cell):
                raise UnreadableInput(
                    self._name,
                    f"the name of column {number} in line {line} holds a character that is no "
                    "text. Is it the right file, in the right encoding?",
                )
            name = cell
            if not name.strip():
                name = f"column_{number}"
                unnamed.append(number)
            suffix = 2
            while name in names or (name != cell and name in written):
                name = f"{cell.strip() or f'column_{number}'}_{suffix}"
                suffix += 1
            if cell.strip() and name != cell:
                self.notes.append(f"The header repeats {cell!r}: column {number} is {name!r}.")
            names.append(name)
        if unnamed:
            numbers = ", ".join(map(str, unnamed))
            self.notes.append(
                f"Columns without a name in the header are called column_N: {numbers}."
            )
        return names


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ragged(found: int, width: int) -> RowError:
    cells = "1 cell" if found == 1 else f"{found} cells"
    code = "too_few_cells" if found < width else "too_many_cells"
    return RowError(code, f"The row has {cells} where the header has {width}.")


def _malformed(error: csv.Error) -> RowError:
    text = str(error)
    if "field larger" in text:
        return RowError(
            "cell_too_long",
            f"A cell has more than {MAX_CELL_CHARACTERS:,} characters, or its quote is never "
            "closed.",
        )
    if "unexpected end" in text:
        return RowError("unclosed_quote", "A quote is opened and never closed.")
    return RowError("misplaced_quote", "Text follows a closing quote before the next delimiter.")
