"""What a person is told of the timestamps of an input. Pure: no Django, no tables."""

from collections.abc import Iterator

from ingestion.parsing.timestamps.moments import Moments
from records.dates.zones import AMBIGUOUS
from records.notes import warning

# Days that stand for an unknown date are told if more rows than this share have one.
PLACEHOLDER_SHARE = 0.01


def notes_on_times(moments: Moments, rows: int) -> Iterator[str]:
    """Notes on times that could be read in more than one way, after all rows have been read."""
    moments.order.close()
    twice, never = moments.order.untold, moments.never
    if twice.rows:
        yield warning(
            f"The clocks were set back, so these local times exist twice: {twice.rows:,}, the "
            f"first in line {twice.first}. The order of the rows does not tell which one is meant."
        )
    if never.rows:
        yield warning(
            f"The clocks were set forward, so these local times do not exist: {never.rows:,}, the "
            f"first in line {never.first}. They were read as an hour later. Check the time zone."
        )
    for name, count in moments.unknown_zones.most_common():
        zone = name.strip()
        which = f"may be {AMBIGUOUS[zone]}" if zone in AMBIGUOUS else "is unknown"
        advice = (
            "set the time zone of the source" if zone in AMBIGUOUS else "correct it in the file"
        )
        yield warning(
            f"Rows with the time zone {zone[:50]!r}, which {which}: {count:,}. They are imported "
            f"without a timestamp; {advice}."
        )
    if moments.placeholders.total() > PLACEHOLDER_SHARE * rows:
        days = ", ".join(f"{day} ({count:,})" for day, count in moments.placeholders.most_common())
        yield f"Dates that often stand for an unknown one: {days}. They count as dates."
