"""CloudEvents (https://cloudevents.io, 1.0) as rows. Pure: no Django, no tables.

The members of ``data`` are cells of the row, and so are the attributes, with ``ce_`` before their
names. Data that is no object is one cell, ``data``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from ingestion.errors import RowError
from ingestion.parsing.items import members_of

REQUIRED = ("id", "source", "specversion", "type")
PREFIX = "ce_"
# The columns that tell an event apart from all others.
OWN_ID = (f"{PREFIX}source", f"{PREFIX}id")
# What headers of HTTP begin with, in binary mode.
HEADER = "ce-"


class EventRow(NamedTuple):
    """An event as the text of a row, and why it is rejected, if it is no CloudEvent."""

    text: str
    refusal: RowError | None = None


def of_structured(text: str) -> EventRow:
    """The row of an event in structured mode. The text is valid JSON; what is no object stays."""
    if not text.startswith("{"):
        return EventRow(text)
    members = members_of(text)
    data = [value for name, value in members if name == "data"]
    attributes = [(name, value) for name, value in members if name != "data"]
    row = _row_text(attributes, data[0] if data else None)
    names = [name for name, _ in members]
    for name in names:
        if names.count(name) > 1:
            return EventRow(
                row, _invalid(name, f"The CloudEvent has the attribute {name!r} twice.")
            )
    return EventRow(row, _refusal(dict(attributes)))


def of_binary(headers: Mapping[str, str], data: str) -> EventRow:
    """The row of an event in binary mode: attributes in headers, and the body as ``data``."""
    attributes = {name: json.dumps(value) for name, value in headers.items()}
    return EventRow(_row_text(attributes.items(), data), _refusal(attributes))


def attributes_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes in the headers of a request; none if it is no event in binary mode."""
    return {
        name.lower().removeprefix(HEADER): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith(HEADER)
    }


def _row_text(attributes: Iterable[tuple[str, str]], data: str | None) -> str:
    inner: Sequence[str] = []
    if data is not None:
        is_object = data.startswith("{")
        inner = [data[1:-1].strip()] if is_object else [f'"data": {data}']
    named = [f"{json.dumps(PREFIX + name)}: {value}" for name, value in attributes]
    return "{" + ", ".join(filter(None, [*inner, *named])) + "}"


def _refusal(attributes: Mapping[str, str]) -> RowError | None:
    for name in REQUIRED:
        value = attributes.get(name, "null")
        if not value.startswith('"') or not value.strip('" '):
            return _invalid(name, f"The CloudEvent has no {name!r}.")
    version = attributes["specversion"]
    if version != '"1.0"':
        message = f"The specversion {version} is not supported. Send events of version 1.0."
        return _invalid("specversion", message)
    return None


def _invalid(name: str, message: str) -> RowError:
    return RowError("invalid_event", message, PREFIX + name)
