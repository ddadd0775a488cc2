"""Strict JSON parsing: numbers keep all digits, and repeated names are detected. Pure."""

import json
import re
from collections import Counter
from typing import Any

from ingestion.parsing.limits import MAX_CELL_CHARACTERS, MAX_DEPTH
from ingestion.parsing.readers.json_columns import leaves

# The white space allowed around a value.
SPACES = " \t\r\n"
INT64 = range(-(1 << 63), 1 << 63)
PLAIN_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")


class StrictDecoder:
    """Decodes one value after the other.

    ``repeated`` is a name that an object has twice, ``constant`` a NaN or an infinity, which Python
    accepts and JSON does not. ``rows`` is the type of the values that are rows.
    """

    def __init__(self, rows: type = dict) -> None:
        self.repeated: str | None = None
        self.constant: str | None = None
        self._rows = rows
        self._decoder = json.JSONDecoder(
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=self._note,
            object_pairs_hook=self._object,
        )

    def decode(self, text: str, start: int) -> tuple[Any, int]:
        """The value that starts at ``start``, and its end. Raises JSONDecodeError."""
        self.repeated = self.constant = None
        try:
            return self._decoder.raw_decode(text, start)
        except RecursionError as error:
            raise json.JSONDecodeError("It is nested too deeply", text, start) from error

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = Counter(name for name, _ in pairs)
            self.repeated = names.most_common(1)[0][0]
        return found

    def _note(self, constant: str) -> str:
        self.constant = self.constant or constant
        return constant

    def refusal(self, value: Any, text: str) -> tuple[str, str] | None:
        """The code and the message if the value just decoded can't be a row, else None."""
        if self.constant is not None:
            return (
                "no_json",
                f"The row contains {self.constant}, which is not valid JSON. Replace it with null "
                "or a number.",
            )
        if type(value) is not self._rows:
            if self._rows is list:
                return "not_a_list", f"The row is {_kind(value)}, not a list."
            return "not_an_object", f"The row is {_kind(value)}, not an object."
        if self.repeated is not None:
            return "repeated_name", f"The name {self.repeated!r} appears twice in one object."
        if len(text) > MAX_CELL_CHARACTERS and _has_long_cell(value):
            return "cell_too_long", f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
        if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            return "nested_too_deeply", f"The row is nested more than {MAX_DEPTH} levels deep."
        return None


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
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return "a text or a number"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"


def _has_long_cell(row: Any) -> bool:
    cells = leaves(row) if isinstance(row, dict) else row
    return any(isinstance(cell, str) and len(cell) > MAX_CELL_CHARACTERS for cell in cells)


def _depth(value: Any) -> int:
    """How many levels of lists and objects are nested, computed without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            below for item in level for below in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
