"""Splits a page of JSON into the exact text of each row and the document around them. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from ingestion.feeds.errors import InvalidPage
from ingestion.feeds.json_page_rows import are_lists, as_object, members_as_rows, names_in

SPACE = re.compile(r"[ \t\n\r]*")
BREAK = re.compile(r"[\r\n]+")
LINE_END = re.compile("[\r\n]+")
# Names of a list with the column names, beside the rows.
HEADER_NAMES = ("columns", "column_names", "columnNames", "headers", "header", "fields", "names")
# Numbers are kept as text, so that 1e400 and 18 digits lose nothing.
_values = json.JSONDecoder(parse_float=str, parse_int=str)


@dataclass(slots=True)
class JSONPage:
    """``rows`` are the texts of the rows, each on one line, ``cells`` those of one column.

    ``around`` is the document without its rows; it has the link to the next page. ``notes`` are
    sentences on how the rows were read.
    """

    rows: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    around: Any = None
    notes: list[str] = field(default_factory=list)

    @property
    def last_row(self) -> Any:
        """The last row, its numbers as text."""
        return _values.decode(self.rows[-1])


def read_page(body: bytes, *, rows_path: str, column: str = "", charset: str = "") -> JSONPage:
    """Parse the rows of a page; ``rows_path`` is the path to them: names or indexes with dots.

    The texts and numbers in ``column`` are kept as text. ``charset`` is the encoding that the
    answer names; JSON in UTF-8 needs none. Raises InvalidPage.
    """
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise InvalidPage("it is empty")
    if start.startswith(b"<"):
        kind = "HTML" if re.match(rb"<(!doctype html|html|head|body)", start, re.I) else "markup"
        raise InvalidPage(f"it is {kind}, not JSON")
    try:
        text = _decoded(body, charset)
        page = JSONPage()
        page.around, end = _walk(text, _skip(text, 0), _names(rows_path), [], page, column)
        if _skip(text, end) < len(text):
            raise InvalidPage(f"unexpected data after the JSON value at character {end + 1:,}")
        _name_cells(page, rows_path, column)
    except json.JSONDecodeError as error:
        at_end = "Unterminated" in error.msg or error.pos >= len(error.doc.rstrip()) - 1
        whole = "ends too early" if at_end else "is not valid"
        raise InvalidPage(f"its JSON {whole} at character {error.pos + 1:,}") from error
    except StopIteration as error:
        raise InvalidPage("its JSON ends too early") from error
    except RecursionError as error:
        raise InvalidPage("its JSON is nested too deeply") from error
    except UnicodeError as error:
        raise InvalidPage("its bytes are not valid text") from error
    return page


def read_lines(body: bytes, *, column: str = "", charset: str = "") -> JSONPage:
    """The rows of NDJSON: one in each line."""
    text = _decoded(body, charset)
    page = JSONPage(rows=[line for line in map(str.strip, LINE_END.split(text)) if line])
    _find_cells(page, column)
    return page


def _decoded(body: bytes, charset: str) -> str:
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8") and charset:
        try:
            body.decode(encoding)
        except UnicodeDecodeError:
            try:
                return body.decode(charset).removeprefix("\ufeff")
            except (LookupError, UnicodeError):
                pass
    # Invalid bytes are passed on: the row that contains them is rejected, not the page.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    return body.decode(encoding, errors).removeprefix("\ufeff")


def _name_cells(page: JSONPage, rows_path: str, column: str) -> None:
    """Make objects of rows that are lists: with the names in the first, or in a list beside."""
    if not are_lists(page.rows):
        return
    parent = at_path(page.around, rows_path.rpartition(".")[0])
    names, first = None, 0
    beside = parent if rows_path and isinstance(parent, dict) else {}
    for name in (name for name in HEADER_NAMES if name in beside):
        names = names or names_in(beside[name])
    if names is None:
        names, first = names_in(json.loads(page.rows[0])), 1
    if names is None:
        return
    page.rows = [as_object(row, names, _end) for row in page.rows[first:]]
    page.notes.append(
        "The rows are lists; "
        + ("the first one was read as the header." if first else "their names stand beside them.")
    )
    page.cells = []
    _find_cells(page, column)


def _find_cells(page: JSONPage, column: str) -> None:
    if not column:
        return
    for row in page.rows:
        try:
            _add_cell(page, _values.decode(row), column)
        except ValueError:
            # The row is rejected when it is imported.
            continue


def _add_cell(page: JSONPage, row: Any, column: str) -> None:
    if isinstance(row, dict):
        cell = row[column] if column in row else at_path(row, column)
        if isinstance(cell, str):
            page.cells.append(cell)


def _end(text: str, at: int) -> int:
    """Where the value at a place ends."""
    return _value(text, at)[1]


def has_path(document: Any, path: str) -> bool:
    """Whether a document has a value at a path, possibly null."""
    above, _, name = path.rpartition(".")
    parent = at_path(document, above)
    if isinstance(parent, dict):
        return name in parent
    return at_path(document, path) is not None


def at_path(document: Any, path: str) -> Any:
    """The value at a path of names (or list indexes) with dots; None if there is none."""
    for name in _names(path):
        if isinstance(document, dict):
            document = document.get(name)
        elif (
            isinstance(document, list)
            and name.isdecimal()
            and len(name) < 10
            and int(name) < len(document)
        ):
            document = document[int(name)]
        else:
            return None
    return document


def _names(path: str) -> list[str]:
    return path.split(".") if path else []


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _values.scan_once(text, at)  # type: ignore[attr-defined]
    except StopIteration as stop:
        raise json.JSONDecodeError("a value is missing", text, stop.value) from None


def _expect(text: str, at: int, characters: str) -> str:
    if at >= len(text) or text[at] not in characters:
        raise json.JSONDecodeError(f"one of {characters} is missing", text, at)
    return text[at]


def _walk(
    text: str, at: int, path: Sequence[str], been: list[str], page: JSONPage, column: str
) -> tuple[Any, int]:
    """The value at ``at`` without the rows, which are at ``path`` in it; and where it ends."""
    if not path:
        return _rows(text, at, been, page, column)
    if text[at : at + 1] == "[" and path[0].isdecimal():
        return _walk_list(text, at, path, been, page, column)
    if text[at : at + 1] != "{":
        _, end = _value(text, at)
        _missing(path, been, "an object")
    around: dict[str, Any] = {}
    found = False
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        end = at + 1
    else:
        while True:
            _expect(text, at, '"')
            name, at = scanstring(text, at + 1, True)
            at = _skip(text, at)
            _expect(text, at, ":")
            at = _skip(text, at + 1)
            if name == path[0] and not found:
                found = True
                around[name], at = _walk(text, at, path[1:], [*been, name], page, column)
            else:
                around[name], at = _value(text, at)
            at = _skip(text, at)
            if _expect(text, at, ",}") == "}":
                end = at + 1
                break
            at = _skip(text, at + 1)
    if not found:
        names = ", ".join(map(repr, list(around)[:10])) or "nothing"
        place = f"in {'.'.join(been)!r}" if been else "at its top level"
        raise InvalidPage(f"there is no {path[0]!r} {place}, only {names}")
    return around, end


def _walk_list(
    text: str, at: int, path: Sequence[str], been: list[str], page: JSONPage, column: str
) -> tuple[Any, int]:
    """As ``_walk``, for a list with the rows at an index."""
    around: list[Any] = []
    found = False
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        if str(len(around)) == path[0]:
            found = True
            value, at = _walk(text, at, path[1:], [*been, path[0]], page, column)
        else:
            value, at = _value(text, at)
        around.append(value)
        at = _skip(text, at)
        if _expect(text, at, ",]") == ",":
            at = _skip(text, at + 1)
    if not found:
        place = repr(".".join(been)) if been else "its top level"
        raise InvalidPage(f"{place} is a list of {len(around)} and has no index {path[0]}")
    return around, at + 1


def _rows(text: str, at: int, been: Sequence[str], page: JSONPage, column: str) -> tuple[Any, int]:
    if text[at : at + 4] == "null":
        return None, at + 4
    if text[at : at + 1] == "{":
        end = _end(text, at)
        if (rows := members_as_rows(text[at:end], _end)) is not None:
            page.rows = [BREAK.sub(" ", row) for row in rows]
            page.notes.append("The rows are the members of an object, with their names as a cell.")
            _find_cells(page, column)
            return {}, end
    if text[at : at + 1] != "[":
        value, _ = _value(text, at)
        kind = "an object" if isinstance(value, dict) else "a single value"
        place = repr(".".join(been)) if been else "its top level"
        names = f" with {', '.join(map(repr, list(value)[:10]))}" if isinstance(value, dict) else ""
        raise InvalidPage(f"{place} is {kind}{names}, not a list of rows")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return [], at + 1
    while True:
        value, end = _value(text, at)
        # In JSON a line break is only found between values, so a space can replace it.
        page.rows.append(BREAK.sub(" ", text[at:end]))
        if column:
            _add_cell(page, value, column)
        at = _skip(text, end)
        if _expect(text, at, ",]") == "]":
            return [], at + 1
        at = _skip(text, at + 1)


def _missing(path: Sequence[str], been: Sequence[str], what: str) -> None:
    place = repr(".".join(been)) if been else "its top level"
    raise InvalidPage(f"{place} is not {what} with {path[0]!r}")
