"""A page of JSON -> the exact text of each of its rows, and what stands around them. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from ingestion.feeds.errors import InvalidPage

SPACE = re.compile(r"[ \t\n\r]*")
BREAK = re.compile(r"[\r\n]+")
# Numbers stay the text that they are: 1e400 and 18 digits are none of Python's business here.
_values = json.JSONDecoder(parse_float=str, parse_int=str)


@dataclass(slots=True)
class JSONPage:
    """``rows`` are the texts of the rows, each on one line, ``cells`` those of one column.

    ``around`` is the document without its rows: what tells where the next page is.
    """

    rows: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    around: Any = None


def read_page(body: bytes, *, rows_path: str, column: str = "") -> JSONPage:
    """Tell the rows of a page apart; ``rows_path`` are the names that lead to them, with dots.

    The texts and numbers in ``column`` are kept as text. Raises InvalidPage.
    """
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise InvalidPage("it is empty")
    if start.startswith(b"<"):
        kind = "HTML" if re.match(rb"<(!doctype html|html|head|body)", start, re.I) else "markup"
        raise InvalidPage(f"it is {kind}, not JSON")
    try:
        encoding = json.detect_encoding(body)
        # What does not fit goes through as it is: the row that holds it is rejected, not the page.
        errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
        text = body.decode(encoding, errors).removeprefix("\ufeff")
        page = JSONPage()
        page.around, end = _walk(text, _skip(text, 0), _names(rows_path), [], page, column)
        if _skip(text, end) < len(text):
            raise InvalidPage(f"something follows its JSON at character {end + 1:,}")
    except json.JSONDecodeError as error:
        at_end = "Unterminated" in error.msg or error.pos >= len(error.doc.rstrip()) - 1
        whole = "breaks off" if at_end else "is damaged"
        raise InvalidPage(f"its JSON {whole} at character {error.pos + 1:,}") from error
    except StopIteration as error:
        raise InvalidPage("its JSON breaks off") from error
    except RecursionError as error:
        raise InvalidPage("its JSON is nested too deeply") from error
    except UnicodeError as error:
        raise InvalidPage("its bytes are no text") from error
    return page


def at_path(document: Any, path: str) -> Any:
    """What stands at a path of names (or numbers of list items) with dots; None if nothing."""
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
    """The value at ``at``, in which the rows are at ``path``, without them; and where it ends."""
    if not path:
        return _rows(text, at, been, page, column)
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
        place = f"at {'.'.join(been)!r}" if been else "at its top"
        raise InvalidPage(f"it has no {path[0]!r} {place}, but {names}")
    return around, end


def _rows(text: str, at: int, been: Sequence[str], page: JSONPage, column: str) -> tuple[Any, int]:
    if text[at : at + 4] == "null":
        return None, at + 4
    if text[at : at + 1] != "[":
        value, _ = _value(text, at)
        kind = "an object" if isinstance(value, dict) else "a single value"
        place = f"at {'.'.join(been)!r}" if been else "at its top"
        names = f" with {', '.join(map(repr, list(value)[:10]))}" if isinstance(value, dict) else ""
        raise InvalidPage(f"{place} is {kind}{names}, not a list of rows")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return [], at + 1
    while True:
        value, end = _value(text, at)
        # A line break in JSON stands between values, never in one: a blank does as well.
        page.rows.append(BREAK.sub(" ", text[at:end]))
        if column and isinstance(value, dict) and isinstance(value.get(column), str):
            page.cells.append(value[column])
        at = _skip(text, end)
        if _expect(text, at, ",]") == "]":
            return [], at + 1
        at = _skip(text, at + 1)


def _missing(path: Sequence[str], been: Sequence[str], what: str) -> None:
    place = f"at {'.'.join(been)!r}" if been else "at its top"
    raise InvalidPage(f"{place} is not {what} with {path[0]!r}")
