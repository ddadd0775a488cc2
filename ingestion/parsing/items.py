"""Bodies of requests that hold items: JSON objects, each of which is to become a record. Pure."""

import json
import re
from typing import NamedTuple

from ingestion.errors import InvalidItems, TooManyItems
from ingestion.parsing.compression import EMPTY_ZIP, GZIP, OLE, ZIP
from ingestion.parsing.limits import MAX_ITEMS
from ingestion.parsing.readers.base import KEEP_BYTES, original_bytes
from ingestion.parsing.readers.strict_json import SPACES

SPACE = re.compile(r"[ \t\r\n]*")
# Line ends stand between the parts of a value only: inside of a text they are escaped.
LINE_ENDS = re.compile(r"[\r\n]+")
# What becomes of numbers is decided where the rows are read.
_values = json.JSONDecoder(parse_int=str, parse_float=str)


class Items(NamedTuple):
    """Items as NDJSON, one on each line, and how many there are."""

    lines: bytes
    number: int


def items_of_lines(body: bytes) -> Items:
    """The items of NDJSON, which stays as it is; blank lines are no items.

    Raises InvalidItems and TooManyItems.
    """
    if body.startswith((GZIP, ZIP, EMPTY_ZIP, OLE)):
        raise InvalidItems("it is not text")
    count = sum(1 for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())
    return Items(body, _checked(count))


def items_of_json(body: bytes, *, member: str = "") -> Items:
    """The items of a JSON document, as ``texts_of_json``. Raises InvalidItems and TooManyItems."""
    found = texts_of_json(body, member=member)
    return Items(original_bytes("".join(item + "\n" for item in found), "utf-8"), len(found))


def texts_of_json(body: bytes, *, member: str = "") -> list[str]:
    """The items of a JSON document as texts: the values of an array, or the one object that it is;
    or those in a ``member`` of the object that it is.

    The text of each is kept but for its line ends, which become spaces. Raises InvalidItems and
    TooManyItems.
    """
    text = body.decode("utf-8", KEEP_BYTES).removeprefix("\ufeff")
    try:
        found, end = _member(text, member) if member else _texts(text, _skip(text, 0))
        if (rest := _skip(text, end)) < len(text):
            raise json.JSONDecodeError("Extra data", text, rest)
    except json.JSONDecodeError as error:
        at_end = "Unterminated" in error.msg or error.pos >= len(text.rstrip(SPACES))
        reason = "ends too early" if at_end else "is not valid"
        raise InvalidItems(f"its JSON {reason} at character {error.pos + 1:,}") from error
    except RecursionError as error:
        raise InvalidItems("its JSON is nested too deeply") from error
    _checked(len(found))
    return [LINE_ENDS.sub(" ", item) for item in found]


def texts_of_lines(body: bytes) -> list[str]:
    """The items of NDJSON as texts, without blank lines. Raises InvalidItems and TooManyItems."""
    items = items_of_lines(body)
    lines = items.lines.decode("utf-8", KEEP_BYTES).removeprefix("\ufeff").split("\n")
    return [line for line in lines if line.strip(SPACES)]


def members_of(text: str) -> list[tuple[str, str]]:
    """The members of a JSON object as names and texts; none for any other value.

    The text is valid JSON (see ``texts_of_json``).
    """
    found: list[tuple[str, str]] = []
    start = _skip(text, 0)
    if text[start : start + 1] != "{":
        return found
    first = _skip(text, start + 1)
    place = None if text[first : first + 1] == "}" else first
    while place is not None:
        name, end = _values.raw_decode(text, place)
        place = _expected(text, end, ":")
        _, end = _values.raw_decode(text, place)
        found.append((name, text[place:end]))
        place = _after_comma(text, end, "}")
    return found


def _texts(text: str, place: int) -> tuple[list[str], int]:
    """The texts of the values in the array at a place, or of the one value there; and its end."""
    if text[place : place + 1] != "[":
        _, end = _values.raw_decode(text, place)
        if text[place] != "{":
            raise InvalidItems("it is neither an object nor an array of objects")
        return [text[place:end]], end
    found: list[str] = []
    end = place + 1
    first = _skip(text, end)
    following = None if text[first : first + 1] == "]" else first
    while following is not None:
        _, end = _values.raw_decode(text, following)
        found.append(text[following:end])
        if len(found) > MAX_ITEMS:
            raise TooManyItems(MAX_ITEMS)
        following = _after_comma(text, end, "]")
    return found, _skip(text, end) + 1


def _member(text: str, name: str) -> tuple[list[str], int]:
    """The texts in a member of the object that the document is; and the end of the object."""
    found: list[str] = []
    place: int | None = _expected(text, 0, "{")
    while place is not None:
        key, end = _values.raw_decode(text, place)
        place = _expected(text, end, ":")
        if key == name:
            found, end = _texts(text, place)
        else:
            _, end = _values.raw_decode(text, place)
        place = _after_comma(text, end, "}")
    return found, _skip(text, end) + 1


def _after_comma(text: str, place: int, closing: str) -> int | None:
    """The place of the next value; None where the list of values is closed."""
    place = _skip(text, place)
    return None if text[place : place + 1] == closing else _expected(text, place, ",")


def _expected(text: str, place: int, character: str) -> int:
    """The place behind a character that has to come next, and behind the space after it."""
    place = _skip(text, place)
    if text[place : place + 1] != character:
        raise json.JSONDecodeError(f"Expecting {character!r}", text, place)
    return _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    """The place of the next character that is no white space."""
    found = SPACE.match(text, place)
    return found.end() if found else place


def _checked(count: int) -> int:
    if not count:
        raise InvalidItems("it contains no items")
    if count > MAX_ITEMS:
        raise TooManyItems(MAX_ITEMS)
    return count
