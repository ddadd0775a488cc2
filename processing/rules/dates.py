"""Dates and times, as people and programs write them."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from processing.rules.base import Batch, Kind, Step, filled, listed, replace_failing
from processing.rules.parameters import CHOICE, TEXT, TEXTS, Parameter, column, on_failure
from records.dates.formats import Reader, read_moment, reads_months
from records.dates.zones import home_zone, is_zone
from records.number_text import read_number


def date(batch: Batch, step: Step) -> None:
    """The cell becomes a date or a time in ISO 8601; one that says nothing stays what it is."""
    name = step["column"]
    parsers = list(map(read_moment, step["formats"]))
    zone, as_date = home_zone(step["zone"]) or UTC, step["becomes"] == "date"
    # The same dates come again and again.
    known: dict[str, str | None] = {}
    cells, failing = batch.cells(name), []
    for place, cell in filled(batch, name):
        if isinstance(cell, str):
            if cell not in known:
                known[cell] = _written(_read(cell.strip(), parsers, zone), as_date)
            found = known[cell]
        else:
            found = _written(_read(cell, parsers, zone), as_date)
        if found is None:
            failing.append((place, f"is not a date in the format {listed(step['formats'], 'or')}"))
        else:
            cells[place] = found
    batch.put(name, cells)
    replace_failing(batch, name, failing, on_failure=step["on_failure"])


def _read(cell: object, parsers: Sequence[Reader], zone: tzinfo) -> datetime | None:
    text = cell if isinstance(cell, str) else _number_text(cell)
    for parse in parsers:
        if text is not None and (found := parse(text, zone)) is not None:
            return found if found.tzinfo else found.replace(tzinfo=zone)
    return None


def _number_text(cell: object) -> str | None:
    """A number as it is written in a file: 1735776000 and 45306.5 may be times."""
    number = read_number(cell)
    if number is None:
        return None
    return str(int(number)) if number == int(number) else repr(number)


def _written(found: datetime | None, as_date: bool) -> str | None:
    if found is None:
        return None
    try:
        return found.date().isoformat() if as_date else found.astimezone(UTC).isoformat()
    except OverflowError:  # the first hours of the year 1, and the last of 9999
        return None


def conflict(step: Step) -> str | None:
    for written in step["formats"]:
        if not reads_months(written):
            return (
                f"in 'formats', {written!r} is not a format with year and month, such as "
                "%d.%m.%Y %H:%M, iso or unix"
            )
    if not is_zone(step["zone"]):
        return f"'zone' must be a time zone such as Europe/Vienna or +01:00, not {step['zone']!r}"
    return None


def describe(step: Step) -> str:
    formats = listed(step["formats"], "or")
    becomes = (
        "a date" if step["becomes"] == "date" else f"a time (time zone {step['zone']} if missing)"
    )
    otherwise = {
        "fail": "fail the record",
        "empty": "are emptied (recorded as repairs)",
    }[step["on_failure"]]
    return (
        f"Convert {step['column']!r} from the format {formats} to {becomes}; "
        f"other values {otherwise}"
    )


KIND = Kind(
    code="date",
    title="Date and time",
    summary="Convert cells to ISO 8601 dates or times; others fail the record or are emptied.",
    parameters=(
        column(),
        Parameter(
            "formats",
            TEXTS,
            "Formats",
            "For example %d.%m.%Y or %Y-%m-%d %H:%M:%S, iso for ISO 8601, or unix for seconds "
            "since 1970. The first matching format is used.",
        ),
        Parameter(
            "becomes",
            CHOICE,
            "Convert to",
            default="time",
            choices=[("time", "Time (UTC)"), ("date", "Date (as written)")],
        ),
        Parameter(
            "zone",
            TEXT,
            "Time zone",
            "For times without a time zone, for example Europe/Vienna or +01:00.",
            "UTC",
        ),
        on_failure("fail", "empty", "fail"),
    ),
    apply=date,
    describe=describe,
    conflict=conflict,
)
