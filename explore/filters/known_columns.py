"""Refuses filters by columns that no record has, with the name that was probably meant."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from records.models import DataRecord, ProcessingResult, Source
from records.models.querysets import key_range
from web.statement_timeout import TookTooLong, at_most

# How long to look for a column among the records themselves.
SECONDS = 1.0
# Longer names are not compared with others.
LONGEST_COMPARED = 200


def unknown_columns(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parsed filters that name a column that no record has, each with sentences that say so.

    Most columns are those of a source's last input. Older inputs, edits and rules bring others,
    which are looked for among the records; if that takes too long, a column counts as known.
    """
    named = {name: columns for name, columns in _named(values).items() if columns}
    if not named:
        return {}
    sources = values.get("source") or []
    of_sources = Source.objects.filter(name__in=sources) if sources else Source.objects.all()
    found = dict(of_sources.values_list("name", "columns"))
    if not any(found.values()):
        return {}
    listed = {column: None for columns in found.values() for column in columns}
    return {
        name: sentences
        for name, columns in named.items()
        if (sentences := list(_sentences(name, columns, listed, list(found), bool(sources))))
    }


def _named(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns that each filter names."""
    conditions = {
        name: [condition.column for condition in values.get(name) or []]
        for name in ("where", "result")
    }
    return conditions | {name: values.get(name) or [] for name in ("column", "result_column")}


def _sentences(
    name: str, columns: list[str], listed: Mapping[str, None], sources: list[str], is_chosen: bool
) -> Iterator[str]:
    is_of_result = name in ("result", "result_column")
    for column in dict.fromkeys(columns):
        if column in listed or _is_there(column, sources if is_chosen else [], is_of_result):
            continue
        whose = sources[0] if is_chosen and len(sources) == 1 else "No source"
        has = "has no column" if whose != "No source" else "has a column"
        yield f"{whose} {has} “{column}”.{suggestion(column, listed)}"


def suggestion(column: str, listed: Mapping[str, None]) -> str:
    """A sentence, behind a blank, that names the column that was probably meant; or ""."""
    if len(column) > LONGEST_COMPARED:
        return ""
    plain = {name.casefold(): name for name in listed if len(name) <= LONGEST_COMPARED}
    close = get_close_matches(column.casefold(), plain, n=1)
    return f" Did you mean “{plain[close[0]]}”?" if close else ""


def _is_there(column: str, sources: list[str], is_of_result: bool) -> bool:
    """Whether a record or a current result has the column; also if that can't be told soon."""
    try:
        with at_most(SECONDS):
            if is_of_result:
                results = ProcessingResult.objects.current().filter(
                    _within(sources, "record_id"), processed_data__has_key=column
                )
                if results.exists():
                    return True
            records = DataRecord.objects.filter(_within(sources, "id"), data__has_key=column)
            return records.exists()
    except TookTooLong:
        return True


def _within(sources: list[str], field: str) -> Q:
    return reduce(or_, (key_range(source, field) for source in sources), Q())
