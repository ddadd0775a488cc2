"""The report of a dry run as lines of text. Pure: no Django, no tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from records.rows import ROLES
from web.control_chars import escape_control_chars

CELL = 40


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The notes, the mapping, the rejected rows, the updates and the column summary."""
    for note in report["notes"]:
        yield escape_control_chars(note)
    roles = (
        f"{role}: {', '.join(map(_short, report['mapping'][role])) or '-'}"
        for role in ROLES
        if role in report["mapping"]
    )
    yield "; ".join(roles)
    for group in report["reasons"]:
        example = group["examples"][0]
        yield (
            f"rejected: {group['count']:,} {group['code']}, e.g. line {example['line']:,}: "
            f"{escape_control_chars(example['message'])}"
        )
    if report["other_reasons"]:
        yield f"rejected: {report['other_reasons']:,} for other reasons"
    for change in report["changes"]:
        for column, before, after in change["cells"]:
            yield (
                f"updated: {_short(change['id'])} (line {change['line']:,}), {_short(column)}: "
                f"{_short(before)} -> {_short(after)}"
            )
    for column in report["profile"]:
        about = "" if column["exact"] else "about "
        yield (
            f"column {_short(column['name'])}: {column['looks_like']}, "
            f"{column['filled']:,} filled, {column['empty']:,} empty, "
            f"{about}{column['distinct']:,} distinct, "
            f"{_short(column['least'])} to {_short(column['greatest'])}"
        )


def _short(text: str | None) -> str:
    if text is None:
        return "(none)"
    return escape_control_chars(text if len(text) <= CELL else text[:CELL] + "…").replace("\n", " ")
