"""The date format and the time zone of an input, for its mapping. Pure: no Django, no tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN, knows_roles, plain_name
from ingestion.parsing.time_columns import date_columns, propose_zone
from ingestion.parsing.timestamps.patterns import read
from ingestion.parsing.timestamps.search import Doubt, FormatSearch, spelled
from records.notes import warning

# A saved format that reads fewer of the first dates than this share is not theirs.
LEAST_SHARE = 0.1

Cells = Mapping[str, Sequence[str]]


def known_format(
    columns: Sequence[str], named: Mapping[str, Any], remembered: Mapping[str, Any]
) -> str | None:
    """The format that was given, else the one saved with the source for these columns."""
    if named.get(FORMAT):
        return str(named[FORMAT])
    is_theirs = not knows_roles(remembered) or remembered.get("timestamp") == columns
    return str(remembered[FORMAT]) if is_theirs and remembered.get(FORMAT) else None


def misfit(pattern: str, texts: Iterable[str]) -> Doubt | None:
    """A doubt about a saved format that reads hardly any of the dates, where another one does."""
    filled = [text for text in texts if text.strip()]
    unread = [text for text in filled if read(pattern, text) is None]
    if not unread or len(filled) - len(unread) >= LEAST_SHARE * len(filled):
        return None
    rival = FormatSearch(unread).best
    return Doubt(pattern, rival, unread[0], is_misfit=True) if rival else None


def notes_on_format(
    columns: Sequence[str], search: FormatSearch, texts: Sequence[str]
) -> Iterator[str]:
    """What a person should know of a format that was detected."""
    named = " and ".join(map(repr, columns))
    pattern = search.best
    filled = [text for text in texts if text.strip()]
    if pattern is None:
        if filled:
            yield warning(f"The dates in {named} have an unknown format; none was read.")
        return
    if search.is_mixed:
        yield f"The dates in {named} are written in several ways, which are all read: {pattern}."
    elif search.is_judged and search.doubt is None:
        moments = ((text, read(pattern, text)) for text in filled)
        text, moment = next(((t, m) for t, m in moments if m is not None), ("", None))
        if moment is not None:
            yield f"{text.strip()!r} in {named} is read as {spelled(moment)} ({pattern})."


def choose_zone(
    mapping: dict[str, Any],
    texts: Sequence[str],
    cells: Cells,
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
) -> Iterator[str]:
    """Add the zone of local times to a mapping: given, saved with the source, or a column of it."""
    for key in (ZONE, ZONE_COLUMN):
        if value := named.get(key, remembered.get(key)):
            mapping[key] = value
    times, pattern = mapping["timestamp"], mapping.get(FORMAT)
    is_decided = knows_roles(remembered) or {ZONE, ZONE_COLUMN} & (named.keys() | mapping.keys())
    if is_decided or not times or not pattern or not _are_local(pattern, texts):
        return
    names = {column: plain_name(column) for column in cells}
    column = propose_zone([column for column in cells if column not in times], names, cells)
    if column is not None:
        mapping[ZONE_COLUMN] = column
        yield f"The times are read in the time zones that the column {column!r} names."


def _are_local(pattern: str, texts: Sequence[str]) -> bool:
    moments = (read(pattern, text) for text in texts)
    found = next((moment for moment in moments if moment is not None), None)
    return found is not None and found.tzinfo is None


def unused_dates(columns: Sequence[str], cells: Cells) -> str | None:
    """A note on a column of dates, for an input without a timestamp column."""
    names = {column: plain_name(column) for column in columns}
    if not (found := date_columns(columns, names, cells)):
        return None
    best = min(found, key=lambda column: column.rank)
    return (
        f"No timestamp column is mapped, but {best.name!r} holds dates. Map it to see the records "
        "over time."
    )
