"""Column mapping: proposes and checks the columns for each role. Pure: no Django, no tables."""

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ingestion.errors import MissingColumns
from ingestion.parsing.time_columns import propose_timestamp
from ingestion.parsing.value_column import propose_value
from records.rows import ROLES

# The keys of a mapping that are no roles: the format of the dates, the zone of local times, and
# the column that says the zone of each row.
FORMAT, ZONE, ZONE_COLUMN = "timestamp_format", "timestamp_zone", "timestamp_zone_column"

# With fewer rows it is not clear that cells never repeat.
FEW_ROWS = 20
# How many columns whose names suggest a role are checked by their cells.
TRIED_COLUMNS = 50

Roles = dict[str, list[str]]

# Names that suggest a role, in order of preference; compared in lower case, with every sequence
# of other characters as one space.
NAMES = {
    "category": (
        "category", "type", "kind", "class", "group", "segment", "product line", "product type",
        "department", "topic", "label", "indicator",
    ),
}  # fmt: skip
# Words that suggest a role as part of a longer name.
WORDS = {
    "category": ("category", "type", "kind", "segment"),
}


def column_names(text: str) -> list[str]:
    """Parse column names from a list: separated by commas or line ends, quoted if they contain
    one."""
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    names = (name.strip() for row in rows for name in row)
    return list(dict.fromkeys(filter(None, names)))


def propose(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, key: Sequence[str] = ()
) -> Roles:
    """Propose a mapping by the names of the columns, checked against the first rows.

    The ``key`` was found already (see ingestion.parsing.keys). A column is proposed as the
    timestamp if it holds dates, whatever its name is; as the value by what it holds (see
    ingestion.parsing.value_column).
    """
    names = {column: plain_name(column) for column in columns}
    cells = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    roles: Roles = {role: [] for role in ROLES}
    roles["id"] = list(key)
    free = [column for column in columns if column not in roles["id"]]
    roles["timestamp"] = propose_timestamp(free, names, cells)
    free = [column for column in free if column not in roles["timestamp"]]
    roles["value"] = propose_value(free, names, cells)
    free = [column for column in free if column not in roles["value"]]
    roles["category"] = _first(free, names, "category", lambda c: not _is_unlike_any(cells[c]))
    return roles


def plain_name(column: str) -> str:
    """A name in lower case, its words separated by one space."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return re.sub(r"[\W_]+", " ", spaced).strip().lower()


def _first(
    columns: Sequence[str],
    names: Mapping[str, str],
    role: str,
    borne_out: Callable[[str], bool],
) -> list[str]:
    exact = sorted(
        (column for column in columns if names[column] in NAMES[role]),
        key=lambda column: NAMES[role].index(names[column]),
    )
    words, known = set(WORDS[role]), set(exact)
    partly = [c for c in columns if c not in known and words.intersection(names[c].split())]
    for column in (*exact, *partly)[:TRIED_COLUMNS]:
        if borne_out(column):
            return [column]
    return []


def _is_unlike_any(cells: Sequence[str]) -> bool:
    """Whether all of enough cells differ: such a column is useless for grouping."""
    return len(cells) >= FEW_ROWS and len(set(cells)) == len(cells)


def knows_roles(mapping: Mapping[str, Any]) -> bool:
    """Whether a mapping has roles; it may have only a date format."""
    return any(role in mapping for role in ROLES)


def missing_columns(mapping: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[str, str]]:
    """The roles with mapped columns that the input does not have, and these columns."""
    mapped = [(role, column) for role in ROLES for column in mapping.get(role) or []]
    if zone := mapping.get(ZONE_COLUMN):
        mapped.append(("time zone", zone))
    return [(role, column) for role, column in mapped if column not in columns]


def check_columns(
    mapping: Mapping[str, Any], columns: Sequence[str], *, absent: Collection[str] = ()
) -> None:
    """Raise MissingColumns if the mapping names a column that the input does not have.

    The roles in ``absent`` are not looked at.
    """
    missing = missing_columns(mapping, columns)
    if missing := [(role, column) for role, column in missing if role not in absent]:
        raise MissingColumns(missing, columns)


def absent_roles(
    mapping: Mapping[str, Any], columns: Sequence[str], remembered: Mapping[str, Any]
) -> list[str]:
    """The roles of a source that an input does not play at all, where its rows are merged with
    records that do. Without the key it could not be told which records these are."""
    return [
        role
        for role in ROLES
        if role != "id"
        and mapping.get(role)
        and mapping[role] == remembered.get(role)
        and not set(mapping[role]) & set(columns)
    ]
