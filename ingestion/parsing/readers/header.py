"""Makes unique column names from the cells of a header. Pure: no Django, no tables."""

from collections.abc import Collection, Sequence
from itertools import chain, count

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.limits import MAX_COLUMNS, MAX_HEADER_CHARACTERS

# How many changed names are listed one by one.
TOLD = 20


def unique_names(cells: Sequence[str], *, name: str, line: int) -> tuple[list[str], list[str]]:
    """The cells as column names, none empty and none twice; and notes on changed names.

    ``name`` is the name of the input for the user, ``line`` the line of its header. Raises
    UnreadableInput for a name that is not valid text, and for too many names.
    """
    check_columns_fit(cells, name)
    names: list[str] = []
    repeated: list[str] = []
    unnamed: list[int] = []
    written, taken = set(cells), set[str]()
    # The next suffix to try for each name, so that many equal names don't take quadratic time.
    suffixes: dict[str, int] = {}
    for number, cell in enumerate(cells, start=1):
        if "\0" in cell or not is_text(cell):
            raise UnreadableInput(
                name,
                f"the name of column {number} in line {line} contains an invalid character. "
                "Check the file and its encoding.",
            )
        unique = cell
        if not unique.strip():
            unique = f"column_{number}"
            unnamed.append(number)
        stem = cell.strip() or unique
        while unique in taken or (unique != cell and unique in written):
            suffixes[stem] = suffixes.get(stem, 1) + 1
            unique = f"{stem}_{suffixes[stem]}"
        if cell.strip() and unique != cell:
            repeated.append(f"The header repeats {cell!r}: column {number} is named {unique!r}.")
        taken.add(unique)
        names.append(unique)
    notes = repeated[:TOLD]
    if more := len(repeated) - len(notes):
        notes.append(f"The header repeats {more:,} more names, which were numbered as well.")
    if unnamed:
        numbers = ", ".join(map(str, unnamed[:TOLD]))
        numbers += f" and {len(unnamed) - TOLD:,} more" if len(unnamed) > TOLD else ""
        notes.append(f"Columns without a name in the header are named column_N: {numbers}.")
    return names, notes


def check_columns_fit(names: Sequence[str], name: str) -> None:
    """Raise InputTooLarge if the input, called ``name``, has too many columns."""
    if len(names) > MAX_COLUMNS:
        raise InputTooLarge(
            name,
            f"{len(names):,} columns",
            MAX_COLUMNS,
            "Check the delimiter, or remove columns that you don't need.",
        )
    if (characters := sum(map(len, names))) > MAX_HEADER_CHARACTERS:
        raise InputTooLarge(
            name,
            f"a header of {characters:,} characters",
            MAX_HEADER_CHARACTERS,
            "Check that the first row is the header, or shorten the names.",
        )


def joined(rows: Sequence[Sequence[str]], *, name: str) -> list[str]:
    """Several header rows as one: the parts of each name, from top to bottom, joined by " / ".

    A cell above others extends to the right until the next non-empty one, like merged cells.
    Raises InputTooLarge.
    """
    for row in rows:
        check_columns_fit(row, name)
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


def numbered(width: int, *, name: str) -> list[str]:
    """Generated names for columns without a header. Raises InputTooLarge."""
    names = [f"column_{number}" for number in range(1, width + 1)]
    check_columns_fit(names, name)
    return names


def free_name(name: str, taken: Collection[str]) -> str:
    """The name of a column that is added to others: numbered if another one has it."""
    numbers = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbers) if each not in taken)


def is_text(value: str) -> bool:
    """Whether it has no lone surrogates, which no encoding can write."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
