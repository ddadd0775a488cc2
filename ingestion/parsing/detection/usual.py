"""The dialect that clevercsv detects in the first lines of a text. Pure: no Django."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

# How much of the text it gets: it takes long.
LINES = 60
CHARACTERS = 20_000
# Long words are shortened to this length for detection.
WORD_CHARACTERS = 200
# Without these clevercsv takes no cell for JSON.
NO_BRACES = str.maketrans("{}", "()")


def detected(lines: Sequence[str], delimiters: tuple[str, ...]) -> Any:
    """The dialect that clevercsv detects; None if it can't."""
    # Importing it takes long, since it scans all of Unicode; few processes need it.
    import clevercsv
    from clevercsv.detect import Detector

    text = "".join(lines[:LINES])[:CHARACTERS]
    # It fails on NUL, and its search for URLs is quadratic in the length of a word.
    text = _long_word(delimiters).sub(r"\1", text.replace("\0", "\ufffd"))
    for sample in (text, text.translate(NO_BRACES)):
        # It doesn't restore this limit when it fails.
        clevercsv.field_size_limit(len(text) + 1)
        try:
            return Detector().detect(sample, delimiters=list(delimiters))
        except clevercsv.Error:
            return None
        except (RecursionError, ValueError):
            # It parses cells in braces as JSON, and this one is nested too deeply or has a number
            # with too many digits.
            continue
    return None


@cache
def _long_word(delimiters: tuple[str, ...]) -> re.Pattern[str]:
    """Matches long words without delimiters and quotes, with the beginning of each as a group."""
    word = f"[^\\s\"'\\\\~`{re.escape(''.join(delimiters))}]"
    return re.compile(f"({word}{{{WORD_CHARACTERS}}}){word}+")
