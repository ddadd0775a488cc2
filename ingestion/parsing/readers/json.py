"""The rows of a JSON document, one at a time. Pure: no Django, no tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from ingestion.errors import UnreadableInput
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.base import Chunk, HoldsNothing, original_bytes
from ingestion.parsing.readers.json_scanner import Element, Scanner
from ingestion.parsing.readers.strict_json import ColumnNames
from records.rows import Reject

# A chunk ends early where its rows are long.
CHUNK_ROW_CHARACTERS = 1 << 23
# How deep the list of objects is searched for.
PATH_DEPTH = 4


class JsonReader(HoldsNothing):
    """The rows of a document: the values of a list, or a single one.

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
        self._steps = dialect.rows_path.split(".") if dialect.rows_path else []
        self.blank_rows = 0
        self.notes: list[str] = []
        self.columns = list(columns) if columns is not None else self._find_columns(on_chunk)

    def _find_columns(self, on_chunk: Callable[[], None]) -> list[str]:
        names = ColumnNames()
        with self._scanner(on_chunk) as scanner:
            for element in self._elements(scanner):
                if element is not None:
                    names.add(element.value)
        return names.columns(self._name)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        elements: list[Element] = []
        first, characters = 1, 0
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
        numbered = list(enumerate(elements, start=first))
        rows = [(line, element) for line, element in numbered if element.refusal is None]
        return Chunk(
            lines=[line for line, _ in rows],
            rows=[element.value for _, element in rows],
            rejects=[
                Reject(line, original_bytes(element.text, self._encoding), *element.refusal)
                for line, element in numbered
                if element.refusal is not None
            ],
            raw=lambda index: original_bytes(rows[index][1].text, self._encoding),
            bytes_read=bytes_read,
        )

    def _scanner(self, on_chunk: Callable[[], None] = lambda: None) -> closing[Scanner]:
        return closing(
            Scanner(self._file, name=self._name, encoding=self._encoding, on_chunk=on_chunk)
        )

    def _elements(self, scanner: Scanner) -> Iterator[Element | None]:
        """The values that are rows; the document is read to its end.

        None shows progress while there are no rows.
        """
        yield from self._at(scanner, 0)
        scanner.end()

    def _at(self, scanner: Scanner, depth: int) -> Iterator[Element | None]:
        if depth == len(self._steps):
            if scanner.peek() == "[":
                yield from scanner.items()
            else:
                yield scanner.value()
            return
        names: list[str] = []
        if scanner.peek() == "{":
            for name in scanner.members():
                if name == self._steps[depth] and name not in names:
                    yield from self._at(scanner, depth + 1)
                else:
                    yield from scanner.pass_over()
                names.append(name)
        if self._steps[depth] not in names:
            path = ".".join(self._steps[: depth + 1])
            known = f"Its names are: {', '.join(map(repr, names[:20]))}." if names else ""
            raise UnreadableInput(self._name, f"there is no {path!r} in it. {known}".rstrip())


def find_rows(
    file: InputFile, *, name: str, encoding: str, on_chunk: Callable[[], None] = lambda: None
) -> tuple[list[str], list[str] | None]:
    """The paths of the lists of objects in a document that is an object, and its columns.

    The columns are the names in the only list, else those of the document as the one row; None for
    any other document. Raises UnreadableInput for invalid JSON.
    """
    with closing(Scanner(file, name=name, encoding=encoding, on_chunk=on_chunk)) as scanner:
        if scanner.peek() != "{":
            return [], None
        document = ColumnNames()
        found = dict(_lists(scanner, [], document))
        scanner.end()
    rows = next(iter(found.values())) if len(found) == 1 else document
    return list(found), rows.columns(name)


def _lists(
    scanner: Scanner, steps: list[str], names: ColumnNames
) -> Iterator[tuple[str, ColumnNames]]:
    """The lists of objects below ``steps``, with the names in each; adds to ``names``."""
    for name in scanner.members():
        names.add({name: None})
        path = [*steps, name]
        opening = scanner.peek()
        if opening == "{" and len(path) < PATH_DEPTH:
            yield from _lists(scanner, path, ColumnNames())
        elif opening == "[":
            its_names = ColumnNames()
            items = scanner.items()
            first = next(items, None)
            if first is not None:
                its_names.add(first.value)
            for item in items:
                its_names.add(item.value)
            # A path can't contain empty names or names with a dot.
            if first and isinstance(first.value, dict) and all(s and "." not in s for s in path):
                yield ".".join(path), its_names
        else:
            scanner.value()
