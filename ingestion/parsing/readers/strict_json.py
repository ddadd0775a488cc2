"""Strict JSON parsing: numbers keep all digits, and repeated names are detected. Pure."""

import json
import re
from collections import Counter
from typing import Any

from ingestion.errors import InputTooLarge
from ingestion.parsing.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS, MAX_DEPTH
from ingestion.parsing.readers.header import check_columns_fit

# The white space allowed around a value.
SPACES = " \t\r\n"
INT64 = range(-(1 << 63), 1 << 63)
PLAIN_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")


class StrictDecoder:
    """Decodes one value after the other; ``repeated`` is a name that an object has twice."""

    def __init__(self) -> None:
        self.repeated: str | None = None
        self._decoder = json.JSONDecoder(
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_refused,
            object_pairs_hook=self._object,
        )

    def decode(self, text: str, start: int) -> tuple[Any, int]:
        """The value that starts at ``start``, and its end. Raises JSONDecodeError."""
        self.repeated = None
        try:
            return self._decoder.raw_decode(text, start)
        except _NoNumber as error:
            raise json.JSONDecodeError(f"{error} is not valid JSON", text, start) from error
        except RecursionError as error:
            raise json.JSONDecodeError("It is nested too deeply", text, start) from error

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = Counter(name for name, _ in pairs)
            self.repeated = names.most_common(1)[0][0]
        return found

    def refusal(self, value: Any, text: str) -> tuple[str, str] | None:
        """The code and the message if the value just decoded can't be a row, else None."""
        if not isinstance(value, dict):
            return "not_an_object", f"The row is {_kind(value)}, not an object."
        if self.repeated is not None:
            return "repeated_name", f"The name {self.repeated!r} appears twice in one object."
        if len(text) > MAX_CELL_CHARACTERS and any(
            len(cell) > MAX_CELL_CHARACTERS if isinstance(cell, str) else False
            for cell in value.values()
        ):
            return "cell_too_long", f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
        if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            return "nested_too_deeply", f"The row is nested more than {MAX_DEPTH} levels deep."
        return None


class ColumnNames:
    """The names in the rows of an input, in order of appearance."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._latest: list[str] = []

    def add(self, row: Any) -> None:
        """Add the names of a row; a value that is not an object has none."""
        # Most rows have the names of the row before.
        if not isinstance(row, dict) or (found := list(row)) == self._latest:
            return
        self._latest = found
        if len(self._names) <= MAX_COLUMNS:
            self._names.update(dict.fromkeys(found))

    def columns(self, name: str) -> list[str]:
        """The names that are allowed for columns: rows with others are rejected one by one.

        Raises InputTooLarge if the input, called ``name``, has too many of them.
        """
        if len(self._names) > MAX_COLUMNS:
            raise InputTooLarge(
                name,
                "rows with too many different names",
                MAX_COLUMNS,
                "Check the path to the rows.",
            )
        check_columns_fit(list(self._names), name)
        return [name for name in self._names if "\0" not in name and _is_text(name)]


class _NoNumber(ValueError):
    """NaN or an infinity."""


def _refused(text: str) -> Any:
    raise _NoNumber(text)


def _whole_number(text: str) -> int | str:
    if len(text) > 20:
        return text
    number = int(text)
    return number if number in INT64 and str(number) == text else text


def _number(text: str) -> float | str:
    if len(text) > 30 or not PLAIN_FLOAT.fullmatch(text):
        return text
    number = float(text)
    return number if repr(number) == text and (number or text[0] != "-") else text


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text or a number"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"


def _depth(value: Any) -> int:
    """How many levels of lists and objects are nested, computed without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            below for item in level for below in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
