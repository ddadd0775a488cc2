"""The names of columns, from the cells of a header. Pure: no Django, no tables."""

from collections.abc import Sequence

from ingestion.errors import UnreadableInput


def unique_names(cells: Sequence[str], *, name: str, line: int) -> tuple[list[str], list[str]]:
    """The cells as names of columns, none empty and none twice; and notes on what was changed.

    ``name`` is what the user calls the input, ``line`` where its header stands. Raises
    UnreadableInput for a name that is no text.
    """
    names: list[str] = []
    notes: list[str] = []
    unnamed: list[int] = []
    written = set(cells)
    for number, cell in enumerate(cells, start=1):
        if "\0" in cell or not _is_text(cell):
            raise UnreadableInput(
                name,
                f"the name of column {number} in line {line} holds a character that is no "
                "text. Is it the right file, in the right encoding?",
            )
        unique = cell
        if not unique.strip():
            unique = f"column_{number}"
            unnamed.append(number)
        suffix = 2
        while unique in names or (unique != cell and unique in written):
            unique = f"{cell.strip() or f'column_{number}'}_{suffix}"
            suffix += 1
        if cell.strip() and unique != cell:
            notes.append(f"The header repeats {cell!r}: column {number} is {unique!r}.")
        names.append(unique)
    if unnamed:
        numbers = ", ".join(map(str, unnamed))
        notes.append(f"Columns without a name in the header are called column_N: {numbers}.")
    return names, notes


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Several rows of a header as one: the parts of each name, from top to bottom, with " / ".

    A cell above others goes on to the right until the next filled one, as merged cells do.
    """
    width = max(map(len, rows))
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    parts: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(padded):
        latest = ""
        for column, cell in enumerate(row):
            below = any(lower[column].strip() for lower in padded[depth + 1 :])
            latest = cell.strip() or latest
            if cell.strip() or (latest and below):
                parts[column].append(latest)
    return [" / ".join(dict.fromkeys(part)) for part in parts]


def numbered(width: int) -> list[str]:
    """The names of columns that have none."""
    return [f"column_{number}" for number in range(1, width + 1)]


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
