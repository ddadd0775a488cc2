"""Makes rows of the values in a JSON document. Pure: no Django, no tables."""

from collections.abc import Sequence
from typing import Any

from ingestion.errors import RowError
from ingestion.parsing.dialect import Dialect, Shape
from ingestion.parsing.readers.json_columns import flat
from ingestion.parsing.readers.row_text import ragged
from ingestion.parsing.readers.strict_json import SPACES, StrictDecoder

# The column with the names of the members that are rows.
KEY_COLUMN = "key"


def row_type(dialect: Dialect) -> type:
    """The type of the values that are rows."""
    return list if dialect.shape == Shape.LISTS else dict


def member_text(name: str, value: str) -> str:
    """The text of a member of an object as the text of a row."""
    return f"{name}: {value}"


def to_row(
    value: Any, *, dialect: Dialect, columns: Sequence[str], key: str = ""
) -> dict[str, Any]:
    """The cells by column; ``value`` is of the type of rows, ``key`` the name of a member.

    Raises RowError.
    """
    if dialect.shape == Shape.LISTS:
        if len(value) != len(columns):
            raise RowError(*ragged(len(value), len(columns)))
        return dict(zip(columns, value, strict=True))
    row = flat(value, dialect.nested)
    return {columns[0]: key, **row} if dialect.shape == Shape.KEYED else row


def read_json_row(text: str, *, dialect: Dialect, columns: Sequence[str]) -> dict[str, Any]:
    """The cells of the one row in ``text``. Raises RowError."""
    plain, decoder = text.strip(SPACES), StrictDecoder(row_type(dialect))
    key = ""
    if dialect.shape == Shape.KEYED:
        plain = "{" + plain + "}"
    try:
        value, end = decoder.decode(plain, 0)
    except ValueError as error:
        raise RowError("no_json", f"The row is not valid JSON: {error}.") from error
    if end < len(plain):
        message = f"The row is not valid JSON. Column {end + 1:,}: unexpected data after the value."
        raise RowError("no_json", message)
    if dialect.shape == Shape.KEYED:
        if len(value) != 1:
            raise RowError("not_one_row", f"Expected one row, but found {len(value)} rows.")
        [(key, value)] = value.items()
    if refusal := decoder.refusal(value, plain):
        raise RowError(*refusal)
    return to_row(value, dialect=dialect, columns=columns, key=key)
