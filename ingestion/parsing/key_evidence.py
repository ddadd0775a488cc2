"""What the cells of a column that does not repeat say about its being a key. Pure: no Django."""

import re
from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise
from statistics import mode

from ingestion.parsing.timestamps.search import detect_format

# By so much must more cells repeat by chance than none: e to the power of minus this is the
# probability that measurements of the same range do not repeat.
SURELY = 5
# Whole numbers of the same length are identifiers if they have so many digits, in so many rows.
SAME_LENGTH, SAME_LENGTH_ROWS = 6, 100
# Numbers that count upwards are given out one after the other, if there are so many.
SERIAL_ROWS = 10
# A code of so many characters does not repeat by design.
LONG_CODE = 16
# Longer cells are text.
LONGEST = 200
# How many cells are tried as dates.
DATES = 200
YEARS = range(1800, 2200)
# Moments as numbers are seconds since 1970, or a 1,000th, 1,000,000th or 1,000,000,000th of these.
SECONDS = range(10**9, 2 * 10**9)
UNITS = (1, 10**3, 10**6, 10**9)

WHOLE = re.compile(r"[0-9]+")
SIGNED = re.compile(r"[-+(]?\W{0,3}[0-9][0-9.,:' \u00a0\u2009\u202f\u2019]*\W{0,3}")
CODE = re.compile(r"[^\W_][\w/#:.-]*")
SERIAL = re.compile(r"(.*?)([0-9]+)", re.DOTALL)


class Evidence(IntEnum):
    """How much the cells of a column that does not repeat look like a key."""

    # Measurements, moments or texts.
    NONE = 0
    # Nothing speaks against it.
    POSSIBLE = 1
    # Identifiers, of whatever.
    LIKELY = 2
    # Identifiers that are given out one after the other.
    CERTAIN = 3


def evidence(cells: Sequence[str]) -> Evidence:
    """What filled cells that do not repeat look like."""
    texts = [cell.strip() for cell in cells]
    if max(map(len, texts)) > LONGEST:
        return Evidence.NONE
    if all(map(WHOLE.fullmatch, texts)):
        return _of_numbers(texts)
    if sum(map(bool, map(SIGNED.fullmatch, texts))) * 2 > len(texts):
        return Evidence.NONE
    if sum(any(map(str.isspace, text)) for text in texts) * 2 > len(texts):
        return Evidence.NONE
    if any(map(str.isdigit, "".join(texts[:20]))) and detect_format(texts[:DATES]):
        return Evidence.NONE
    return _of_codes(texts)


def _of_numbers(texts: Sequence[str]) -> Evidence:
    numbers = list(map(int, texts))
    if _are_moments(numbers) or (len(texts[0]) >= 8 and detect_format(texts[:DATES])):
        return Evidence.POSSIBLE
    same_length = len(set(map(len, texts))) == 1
    begin_with_zero = same_length and any(text[0] == "0" for text in texts)
    steps = [after - before for before, after in pairwise(numbers)]
    if numbers[0] in (0, 1) and set(steps) <= {1} and not begin_with_zero:
        # The numbers of the rows: another file has the same ones.
        return Evidence.POSSIBLE
    if len(numbers) >= SERIAL_ROWS and _is_serial(steps):
        return Evidence.CERTAIN
    if begin_with_zero or (
        same_length and len(texts[0]) >= SAME_LENGTH and len(texts) >= SAME_LENGTH_ROWS
    ):
        return Evidence.LIKELY
    return Evidence.LIKELY if _repeat_by_chance(numbers) else Evidence.POSSIBLE


def _of_codes(texts: Sequence[str]) -> Evidence:
    with_digit = sum(any(map(str.isdigit, text)) for text in texts)
    lengths = set(map(len, texts))
    if not all(map(CODE.fullmatch, texts)):
        return Evidence.POSSIBLE
    if len(lengths) == 1 and len(texts[0]) >= LONG_CODE and with_digit * 10 >= len(texts) * 9:
        return Evidence.LIKELY
    if with_digit < len(texts):
        return Evidence.POSSIBLE
    parts = [found.groups() for found in map(SERIAL.fullmatch, texts) if found]
    if len(parts) == len(texts) > 2 and len({prefix for prefix, _ in parts}) == 1:
        numbers = [int(number) for _, number in parts]
        steps = [after - before for before, after in pairwise(numbers)]
        if max(len(number) for _, number in parts) > 2 and _is_serial(steps):
            return Evidence.CERTAIN
    letters_first = all(text[0].isalpha() for text in texts)
    return Evidence.LIKELY if len(lengths) == 1 or letters_first else Evidence.POSSIBLE


def _is_serial(steps: Sequence[int]) -> bool:
    """Whether numbers follow each other: upwards or downwards, mostly by one."""
    usual = mode(steps)
    return (
        abs(usual) == 1
        and steps.count(usual) * 2 >= len(steps)
        and all(step * usual > 0 for step in steps)
    )


def _are_moments(numbers: Sequence[int]) -> bool:
    """Whether numbers could be years, months or seconds since 1970."""
    least, most = min(numbers), max(numbers)
    if least in YEARS and most in YEARS:
        return True
    if least // 100 in YEARS and most // 100 in YEARS:
        return all(1 <= number % 100 <= 12 for number in numbers)
    return any(least // unit in SECONDS and most // unit in SECONDS for unit in UNITS)


def _repeat_by_chance(numbers: Sequence[int]) -> bool:
    """Whether so many measurements of this range would surely repeat."""
    spread = max(numbers) - min(numbers) + 1
    return len(numbers) ** 2 / (2 * spread) >= SURELY
