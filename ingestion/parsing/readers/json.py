"""The rows of a JSON document, one at a time. Pure: no Django, no tables."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from ingestion.errors import RowError, UnreadableInput
from ingestion.parsing.dialect import Dialect, Shape
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_COLUMNS
from ingestion.parsing.readers.base import Chunk, HoldsNothing, original_bytes
from ingestion.parsing.readers.header import free_name, numbered, unique_names
from ingestion.parsing.readers.json_columns import ColumnNames
from ingestion.parsing.readers.json_rows import KEY_COLUMN, member_text, row_type, to_row
from ingestion.parsing.readers.json_scanner import Element, Scanner
from records.rows import Reject

# A chunk ends early where its rows are long.
CHUNK_ROW_CHARACTERS = 1 << 23


class JsonReader(HoldsNothing):
    """The rows of a document: the values of a list or of an object, or a single one.

    The whole document is scanned on opening, for the names of its columns, so that invalid JSON is
    refused before the first row is returned; unless its ``columns`` are known from an earlier scan.
    ``lines`` are the ordinal numbers of the rows.
    """

    def __init__(
        self,
        file: InputFile,
        *,
        name: str,
        encoding: str,
        dialect: Dialect,
        on_chunk: Callable[[], None] = lambda: None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._file, self._name, self._encoding = file, name, encoding
        self._dialect = dialect
        self._steps = dialect.rows_path.split(".") if dialect.rows_path else []
        self._is_keyed = dialect.shape == Shape.KEYED
        self._is_plain = dialect.shape in (Shape.OBJECTS, Shape.DOCUMENTS) and not dialect.nested
        # A header among the rows is not one of them.
        self._header = 0
        if dialect.shape == Shape.LISTS and not dialect.header_path:
            self._header = dialect.header
        self.blank_rows = 0
        self.notes: list[str] = []
        # How many levels of nested objects are columns.
        self.nested = dialect.nested
        if columns is not None:
            self.columns = list(columns)
        elif dialect.shape == Shape.LISTS:
            self.columns = self._named_columns(on_chunk)
        else:
            self.columns = self._find_columns(on_chunk)

    def _find_columns(self, on_chunk: Callable[[], None]) -> list[str]:
        names = ColumnNames(self.nested)
        with self._scanner(on_chunk) as scanner:
            for element in self._elements(scanner):
                if element is not None:
                    names.add(element.value)
        columns = names.columns(self._name)
        self.nested, self.notes = names.nested, names.notes
        if not self._is_keyed:
            return columns
        return [free_name(KEY_COLUMN, columns), *columns]

    def _named_columns(self, on_chunk: Callable[[], None]) -> list[str]:
        """The columns of rows that are lists, from a header or numbered."""
        header: list[Any] | None = None
        width = 0
        if self._dialect.header_path:
            steps = self._dialect.header_path.split(".")
            with self._scanner(on_chunk) as scanner:
                found = filter(None, self._at(scanner, steps, []))
                header = [element.value for element in islice(found, MAX_COLUMNS + 1)]
        with self._scanner(on_chunk) as scanner:
            for element in filter(None, self._all_elements(scanner)):
                if isinstance(element.value, list):
                    width = max(width, len(element.value))
                if self._header and header is None:
                    header = element.value if isinstance(element.value, list) else []
        if header is None:
            return numbered(max(width, 1), name=self._name)
        cells = list(map(column_name, header))
        columns, self.notes = unique_names(cells, name=self._name, line=1)
        return columns

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        elements: list[Element] = []
        first, characters = 1 + self._header, 0
        with self._scanner() as scanner:
            for element in self._elements(scanner):
                if element is None:
                    yield self._chunk([], first, scanner.bytes_read)
                    continue
                elements.append(element)
                characters += len(element.text)
                if len(elements) == size or characters > CHUNK_ROW_CHARACTERS:
                    yield self._chunk(elements, first, scanner.bytes_read)
                    first += len(elements)
                    elements, characters = [], 0
            if elements:
                yield self._chunk(elements, first, scanner.bytes_read)

    def _chunk(self, elements: list[Element], first: int, bytes_read: int) -> Chunk:
        lines: list[int] = []
        rows: list[dict[str, Any]] = []
        texts: list[str] = []
        rejects: list[Reject] = []
        for line, element in enumerate(elements, start=first):
            refusal = element.refusal
            if refusal is None:
                try:
                    row = self._row(element)
                except RowError as error:
                    refusal = error.code, error.message
            if refusal is not None:
                rejects.append(Reject(line, original_bytes(element.text, self._encoding), *refusal))
                continue
            lines.append(line)
            rows.append(row)
            texts.append(element.text)
        return Chunk(
            lines=lines,
            rows=rows,
            rejects=rejects,
            raw=lambda index: original_bytes(texts[index], self._encoding),
            bytes_read=bytes_read,
        )

    def _row(self, element: Element) -> dict[str, Any]:
        if self._is_plain:
            row: dict[str, Any] = element.value
            return row
        return to_row(element.value, dialect=self._dialect, columns=self.columns, key=element.key)

    def _scanner(self, on_chunk: Callable[[], None] = lambda: None) -> closing[Scanner]:
        return closing(
            Scanner(
                self._file,
                name=self._name,
                encoding=self._encoding,
                on_chunk=on_chunk,
                rows=row_type(self._dialect),
            )
        )

    def _elements(self, scanner: Scanner) -> Iterator[Element | None]:
        """The values that are rows; the document is read to its end.

        None shows progress while there are no rows.
        """
        to_skip = self._header
        for element in self._all_elements(scanner):
            if element is not None and to_skip:
                to_skip -= 1
            else:
                yield element

    def _all_elements(self, scanner: Scanner) -> Iterator[Element | None]:
        yield from self._at(scanner, self._steps, [])
        while self._dialect.shape == Shape.DOCUMENTS and scanner.peek():
            yield from self._at(scanner, self._steps, [])
        scanner.end()

    def _at(
        self, scanner: Scanner, steps: Sequence[str], been: Sequence[str]
    ) -> Iterator[Element | None]:
        """The rows at a path; ``been`` is the path to here."""
        opening = scanner.peek()
        if not steps:
            yield from self._rows(scanner, opening)
            return
        step, names = steps[0], []
        if opening == "{":
            for name in scanner.members():
                if name.value == step and step not in names:
                    yield from self._at(scanner, steps[1:], [*been, step])
                else:
                    yield from scanner.pass_over()
                names.append(name.value)
        elif opening == "[" and step.isdecimal():
            for index in scanner.places():
                if str(index) == step:
                    yield from self._at(scanner, steps[1:], [*been, step])
                    names.append(step)
                else:
                    yield from scanner.pass_over()
        if step not in names:
            path = ".".join([*been, step])
            known = f"Its names are: {', '.join(map(repr, names[:20]))}." if names else ""
            raise UnreadableInput(self._name, f"there is no {path!r} in it. {known}".rstrip())

    def _rows(self, scanner: Scanner, opening: str) -> Iterator[Element]:
        if opening == "{" and self._is_keyed:
            for name in scanner.members():
                value = scanner.value()
                text = member_text(name.text, value.text)
                yield Element(value.value, text, value.refusal, key=name.value)
        elif opening == "[":
            yield from scanner.items()
        else:
            yield scanner.value()


def column_name(cell: Any) -> str:
    """The name of a column in a header: a text, or an object with a name."""
    if isinstance(cell, dict):
        cell = cell.get("name", "")
    return cell if isinstance(cell, str) else "" if cell is None else json.dumps(cell)
