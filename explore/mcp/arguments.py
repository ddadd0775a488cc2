"""The arguments of tools: their schemas, made of what the API takes, and what they say."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from jsonschema import Draft202012Validator

from explore.filters import RecordQuery
from explore.filters.record_filter import RecordFilter
from explore.mcp.caller import Failed
from records.models import RunState
from records.reject_codes import CATALOGUE
from records.run_kinds import KINDS
from web.api.problems import problem
from web.converters import GREATEST_ID

# Assistants read every word that they are given: lists are shorter than those of the API.
DEFAULT_LIMIT, GREATEST_LIMIT = 20, 100
LONGEST_TEXT = 10_000
# How much of a wrong argument an error repeats.
REPEATED = 200

TEXT = {"type": "string", "maxLength": LONGEST_TEXT}
LIMIT = {
    "type": "integer",
    "minimum": 1,
    "maximum": GREATEST_LIMIT,
    "description": f"Maximum number of items to return. Default: {DEFAULT_LIMIT}.",
}
CURSOR = TEXT | {"description": "Position of the next page: `cursor` of the answer before."}
SOURCE = TEXT | {"description": "Name of a source."}
RECORD = TEXT | {"pattern": ":", "description": "ID of a record: `<source>:<key>`."}
RUN = {
    "type": "integer",
    "minimum": 1,
    "maximum": GREATEST_ID,
    "description": "Number of an ingestion run.",
}
KIND = {"type": "string", "enum": list(KINDS), "description": "Kind of run."}
STATE = {"type": "string", "enum": list(RunState.values), "description": "State of the run."}
REJECT_CODE = {"type": "string", "enum": list(CATALOGUE), "description": "Reject code."}
RULES = {
    "type": "array",
    "items": {"type": "object"},
    "description": "The rules, applied from first to last, as `describe_source` shows them.",
}


def filter_schema() -> dict[str, Any]:
    """The schema of a filter of records: the parameters of the explorer."""
    repeatable = RecordFilter.repeatable()
    value = {"type": ["string", "number"], "maxLength": LONGEST_TEXT}
    return {
        "type": "object",
        "properties": {
            name: {
                "description": str(each.extra.get("help_text", "")),
                **({"type": "array", "items": value} if name in repeatable else value),
            }
            for name, each in RecordFilter.base_filters.items()
        },
        "additionalProperties": False,
        "description": "The filter, as in the explorer's URL. Without it: all records.",
    }


def object_schema(properties: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def check(given: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Raise Failed for arguments that do not fit the schema of a tool."""
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Failed(problem("The arguments hold an unpaired surrogate.", code="invalid")) from None
    errors: dict[str, list[str]] = {}
    for error in Draft202012Validator(schema).iter_errors(given):
        name = ".".join(map(str, error.absolute_path)) or "arguments"
        sentence = error.message
        if len(sentence) > REPEATED:
            sentence = f"{sentence[:REPEATED]}…"
        errors.setdefault(name, []).append(sentence)
    if errors:
        said = " ".join(f"{name}: {' '.join(each)}" for name, each in errors.items())
        raise Failed(problem(said, code="invalid", errors=errors))


def page_query(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The parameters of a list: its page, and those of ``names`` that are given."""
    asked = {name: given[name] for name in (*names, "cursor") if given.get(name) not in (None, "")}
    return asked | {"limit": given.get("limit", DEFAULT_LIMIT)}


def filter_query(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a filter, as URLs of the API and of the explorer have them."""
    return {
        name: [str(each) for each in value] if isinstance(value, list) else str(value)
        for name, value in given.get("filter", {}).items()
    }


def record_query(parameters: Mapping[str, Any]) -> RecordQuery:
    """The query of parameters that the API has accepted."""
    return RecordQuery.parse(QueryDict(urlencode(parameters, doseq=True)))
