"""Columns of which exactly one is filled in each row, such as debit and credit. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

# One of the two is filled in so much of the rows.
NEARLY_ALL = 0.99
# How many columns are compared with each other.
COMPARED = 20


def complements(columns: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """Two columns of which never both and nearly always one is filled, each in some rows.

    ``columns`` are the cells of number columns. None if there are no such two.
    """
    names = list(columns)[:COMPARED]
    filled = {name: [bool(cell.strip()) for cell in columns[name]] for name in names}
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            pairs = Counter(zip(filled[one], filled[other], strict=True))
            either = pairs[True, False] + pairs[False, True]
            are_both_used = pairs[True, False] and pairs[False, True] and not pairs[True, True]
            if are_both_used and either >= len(filled[one]) * NEARLY_ALL:
                return one, other
    return None
