"""Text out of files, so that people see all of it and it does nothing to what is around it."""

import unicodedata

LONGEST_CELL = 2_000
# Line ends stay line ends as well, where white space is kept.
VISIBLE = {"\n": "↵\n", "\t": "⇥"}
# Categories of characters that nobody sees.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """Text whose control and direction characters can be seen and do nothing."""
    shown = "".join(map(_visible_character, text[:LONGEST_CELL]))
    left = len(text) - LONGEST_CELL
    return f"{shown} … ({left:,} more characters)" if left > 0 else shown


def _visible_character(character: str) -> str:
    if character in VISIBLE:
        return VISIBLE[character]
    if unicodedata.category(character) in UNSEEN:
        return f"[U+{ord(character):04X}]"
    return character
