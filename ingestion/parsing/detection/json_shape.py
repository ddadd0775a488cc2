"""Finds the rows of a JSON document: where they are, and what they are. Pure: no Django."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from ingestion.parsing.detection.layout import find_layout
from ingestion.parsing.dialect import Dialect, Shape
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_COLUMNS, MAX_NESTED
from ingestion.parsing.readers.json import JsonReader, column_name
from ingestion.parsing.readers.json_columns import ColumnNames
from ingestion.parsing.readers.json_scanner import Scanner
from ingestion.parsing.readers.ndjson import NdjsonReader

# How deep rows are searched for.
PATH_DEPTH = 4
# How many values of a list, or objects in an object, may be searched for rows themselves.
FEW = 10
# How many lists and objects are candidates.
MAX_CANDIDATES = 1_000
# How many rows tell whether the first list is a header.
SAMPLE_ROWS = 60
# Names of the list with the column names, if several lists may be it.
HEADER_NAMES = ("columns", "column_names", "columnnames", "headers", "header", "fields", "names")

Path = tuple[str, ...]


@dataclass(slots=True)
class _List:
    """A list of the document: its length, the types of its values, and the first of them."""

    count: int = 0
    objects: int = 0
    lists: int = 0
    first: str = ""
    widths: set[int] = field(default_factory=set)
    rows: list[list[Any]] = field(default_factory=list)
    # The columns of the objects among its values, and its values unless they can't be names.
    columns: ColumnNames = field(default_factory=ColumnNames)
    names: list[str] | None = field(default_factory=list)

    def add(self, value: Any) -> None:
        kind = "{" if isinstance(value, dict) else "[" if isinstance(value, list) else "v"
        self.first = self.first or kind
        self.count += 1
        self.objects += kind == "{"
        self.lists += kind == "["
        if kind == "{":
            self.columns.add(value)
        if kind == "[":
            if len(self.widths) < 2:
                self.widths.add(len(value))
            if len(self.rows) < SAMPLE_ROWS:
                self.rows.append(value)
        if self.names is not None:
            name = "" if kind == "[" else column_name(value)
            is_name = bool(name.strip()) and (kind == "{" or isinstance(value, str))
            if is_name and len(self.names) < MAX_COLUMNS:
                self.names.append(name)
            else:
                self.names = None

    @property
    def has_rows(self) -> bool:
        """Whether its values may be rows."""
        return self.first == "{" or self.is_table

    @property
    def is_table(self) -> bool:
        """Whether all values are lists of the same length."""
        return 0 < self.lists == self.count and len(self.widths) == 1


@dataclass(slots=True)
class _Object:
    """An object of the document: its members, and the names that they have in common."""

    count: int = 0
    objects: int = 0
    names: set[str] = field(default_factory=set)
    common: set[str] = field(default_factory=set)
    widest: int = 0

    def add(self, member: "_Object | None") -> None:
        self.count += 1
        if member is None:
            return
        self.common = self.common & member.names if self.objects else set(member.names)
        self.objects += 1
        self.widest = max(self.widest, len(member.names))

    @property
    def is_keyed(self) -> bool:
        """Whether all members are objects that are alike."""
        return self.objects == self.count > 1 and 0 < self.widest <= len(self.common) * 2


@dataclass(slots=True)
class JsonRows:
    """The dialect of a JSON input, the columns of its rows, and notes on both.

    ``choices`` are the paths at which a document has rows, with their counts.
    """

    dialect: Dialect
    columns: list[str]
    notes: list[str]
    choices: dict[str, int] = field(default_factory=dict)


def find_json_rows(
    file: InputFile,
    *,
    name: str,
    encoding: str,
    said: Mapping[str, Any],
    on_chunk: Callable[[], None] = lambda: None,
) -> JsonRows:
    """How the rows of a document are read.

    ``said`` are parsing options as checked. Raises UnreadableInput for invalid JSON.
    """
    with closing(Scanner(file, name=name, encoding=encoding, on_chunk=on_chunk)) as scanner:
        survey = _Survey(scanner)
        survey.visit(())
        several = scanner.peek() in ("{", "[")
        if not several:
            scanner.end()
    dialect = Dialect(**said)
    notes: list[str] = []
    if several:
        dialect = replace(dialect, shape=Shape.DOCUMENTS)
        notes.append("The file contains several JSON documents, one after the other.")
    elif "rows_path" in said:
        path = tuple(filter(None, dialect.rows_path.split(".")))
        dialect = survey.described(dialect, path)
    else:
        dialect, notes = survey.choose(dialect)
    seen = None if several else survey.columns_of(dialect)
    if seen is not None:
        # Most documents are a list of objects, and need not be read again.
        columns, nested, more = seen.columns(name), seen.nested, seen.notes
    else:
        # Cells of lists stay what they are: they have no names to join.
        deepest = 0 if dialect.shape == Shape.LISTS else MAX_NESTED
        reader = JsonReader(
            file,
            name=name,
            encoding=encoding,
            dialect=replace(dialect, nested=deepest),
            on_chunk=on_chunk,
        )
        columns, nested, more = reader.columns, reader.nested, reader.notes
    dialect = replace(dialect, nested=nested)
    notes += [*_notes(dialect, columns), *more]
    return JsonRows(dialect, columns, notes, {} if several else survey.choices())


def find_ndjson_columns(
    file: InputFile,
    *,
    name: str,
    encoding: str,
    said: Mapping[str, Any],
    on_chunk: Callable[[], None] = lambda: None,
) -> JsonRows:
    """As ``find_json_rows``, for NDJSON."""
    deepest = Dialect(**said, nested=MAX_NESTED)
    reader = NdjsonReader(file, name=name, encoding=encoding, dialect=deepest, on_chunk=on_chunk)
    dialect = replace(deepest, nested=reader.nested)
    return JsonRows(dialect, reader.columns, [*_notes(dialect, reader.columns), *reader.notes])


def _notes(dialect: Dialect, columns: Sequence[str]) -> Iterator[str]:
    if dialect.shape == Shape.KEYED:
        where = repr(dialect.rows_path) if dialect.rows_path else "the document"
        yield f"Each member of {where} was read as a row, and its name as column {columns[0]!r}."
    if dialect.shape == Shape.LISTS:
        if dialect.header_path:
            yield f"The column names were read from the list {dialect.header_path!r}."
        elif dialect.header:
            yield "The rows are lists; the first one was read as the header."
        else:
            yield (
                "The rows are lists without a header: the columns are named column_1 to "
                f"column_{len(columns)}."
            )
    if dialect.nested:
        example = next((name for name in columns if "." in name), "")
        yield f"Nested objects were read as columns of their own, such as {example!r}."


class _Survey:
    """The lists and objects in a document, by their paths."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._lists: dict[Path, _List] = {}
        self._objects: dict[Path, _Object] = {}

    def visit(self, path: Path) -> "_List | _Object | None":
        """Read the next value, which is at a path."""
        opening = self._scanner.peek()
        found: _List | _Object | None = None
        if opening == "[":
            found = self._visit_list(path)
        elif opening == "{" and len(path) < PATH_DEPTH:
            found = self._visit_object(path)
        elif opening == "{":
            found = _Object(names=set(self._scanner.value().value))
        else:
            self._scanner.value()
        return found

    def _visit_list(self, path: Path) -> _List:
        found = _List()
        if len(self._lists) < MAX_CANDIDATES:
            self._lists[path] = found
        for index in self._scanner.places():
            if not path and index < FEW and self._scanner.peek() == "[":
                element = self._scanner.short()
                if element is None:
                    # It may be as large as the document, such as the rows after an object about
                    # them.
                    inner = self._visit_list((str(index),))
                    found.add([None] * min(inner.count, MAX_COLUMNS + 1))
                    continue
                if any(isinstance(value, dict | list) for value in element.value):
                    inner = self._lists[(str(index),)] = _List()
                    for value in element.value:
                        inner.add(value)
                found.add(element.value)
            else:
                found.add(self._scanner.value().value)
        return found

    def _visit_object(self, path: Path) -> _Object:
        found = _Object()
        if len(self._objects) < MAX_CANDIDATES:
            self._objects[path] = found
        for name in self._scanner.members():
            if len(found.names) <= MAX_COLUMNS:
                found.names.add(name.value)
            element = None
            if found.objects >= FEW and self._scanner.peek() == "{":
                element = self._scanner.short()
            if element is not None:
                found.add(_Object(names=set(element.value)))
                continue
            member = self.visit((*path, name.value))
            found.add(member if isinstance(member, _Object) else None)
        return found

    def columns_of(self, dialect: Dialect) -> ColumnNames | None:
        """The columns of the rows, if they are the objects of a list."""
        path = tuple(filter(None, dialect.rows_path.split(".")))
        found = self._lists.get(path)
        return found.columns if found and dialect.shape == Shape.OBJECTS else None

    def choices(self) -> dict[str, int]:
        """The paths of what may be the rows, with how many these are: lists of objects, tables,
        and objects of objects that are alike."""
        found = {path: each.count for path, each in self._lists.items() if each.has_rows}
        found |= {path: each.count for path, each in self._objects.items() if each.is_keyed}
        return {".".join(path): count for path, count in found.items() if path and _is_valid(path)}

    def described(self, dialect: Dialect, path: Path) -> Dialect:
        """The dialect for the rows at a path that is known."""
        if path in self._lists:
            return self._of_list(dialect, path)
        if path in self._objects and self._objects[path].is_keyed:
            return replace(dialect, shape=Shape.KEYED)
        return dialect

    def choose(self, dialect: Dialect) -> tuple[Dialect, list[str]]:
        """The dialect for the rows that the document has, and notes if it is a choice."""
        path, note = self._choice()
        dialect = replace(dialect, rows_path=".".join(path))
        if () in self._objects and not path and note:
            return dialect, [note]
        return self.described(dialect, path), [note] if note else []

    def _choice(self) -> tuple[Path, str]:
        objects = [
            path for path, found in self._lists.items() if found.first == "{" and _is_valid(path)
        ]
        tables = [path for path, found in self._lists.items() if found.is_table and _is_valid(path)]
        root = self._lists.get(())
        if root is not None:
            # An object about the rows, and the rows.
            within = [path for path in objects if path] or [path for path in tables if path]
            if root.count <= FEW and root.objects < 2 and root.first != "v" and len(within) == 1:
                return within[0], f"The rows were read from the list at index {within[0][0]!r}."
            return (), ""
        keyed = [
            path for path, found in self._objects.items() if found.is_keyed and _is_valid(path)
        ]
        if () in keyed:
            return (), ""
        # Lists in the members of such an object are cells of its rows.
        objects = [path for path in objects if not any(path[: len(k)] == k for k in keyed)]
        with_names = [path for path in tables if self._header_of(path)]
        if len(with_names) == 1 and all(p == self._header_of(with_names[0]) for p in objects):
            objects = with_names
        if len(objects) > 1:
            lists = ", ".join(repr(".".join(path)) for path in objects[:10])
            return (), (
                "The document was read as one row, because it has several lists of objects "
                f"({lists}). Set the path to the rows to choose one."
            )
        for found in (objects, keyed, tables):
            if len(found) == 1:
                what = "list" if found[0] in self._lists else "object"
                return found[0], f"The rows were read from the {what} {'.'.join(found[0])!r}."
        return (), ""

    def _of_list(self, dialect: Dialect, path: Path) -> Dialect:
        found = self._lists[path]
        # A first list without cells names no columns.
        if found.first != "[" or not any(found.rows[:1]):
            return dialect
        named = self._header_of(path)
        if named:
            return replace(dialect, shape=Shape.LISTS, header_path=".".join(named))
        header = min(dialect.header, _header_rows(found.rows)) if dialect.header else 0
        return replace(dialect, shape=Shape.LISTS, header=header)

    def _header_of(self, path: Path) -> Path | None:
        """The path of the list beside the rows, which are lists, that names their columns."""
        rows = self._lists[path]
        if not (path and rows.is_table):
            return None
        width = next(iter(rows.widths))
        beside = [
            other
            for other, found in self._lists.items()
            if other[:-1] == path[:-1] and other != path and _is_valid(other)
            and found.names and len(found.names) == width == len(set(found.names))
        ]  # fmt: skip
        named = [other for other in beside if other[-1].lower() in HEADER_NAMES]
        return next(iter(named or (beside if len(beside) == 1 else [])), None)


def _is_valid(path: Path) -> bool:
    """Whether it can be written: without empty names or names with a dot."""
    return all(step and "." not in step for step in path)


def _header_rows(rows: Sequence[Sequence[Any]]) -> int:
    """Whether the first row is a header, 0 or 1."""
    if not all(isinstance(cell, str) for cell in rows[0]):
        return 0
    texts = [list(map(column_name, row)) for row in rows]
    return min(find_layout(texts, above=False).header, 1)
