"""Makes text from files safe to show: all of it is visible, and it affects nothing around it."""

import unicodedata

LONGEST_CELL = 2_000
# Line ends stay line ends as well, where white space is kept.
VISIBLE = {"\n": "↵\n", "\t": "⇥"}
# Categories of characters that nobody sees.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


def escape_control_chars(text: str, longest: int = LONGEST_CELL) -> str:
    """Text whose control and direction characters can be seen and do nothing."""
    shown, left = text[:longest], len(text) - longest
    if not shown.isprintable():
        shown = "".join(
            character if character in JOINERS and _joins(shown, place) else _mark(character)
            for place, character in enumerate(shown)
        )
    return f"{shown} … ({left:,} more characters)" if left > 0 else shown


def _joins(text: str, place: int) -> bool:
    """Whether a joiner does what it is for: in an emoji made of several, or within a word of a
    script that needs it, as Persian and Hindi do."""
    before, after = text[:place][-1:], text[place + 1 : place + 2]
    if not (before and after):
        return False
    if unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL":
        return True
    is_behind = unicodedata.category(before) in {"So", "Sk", "Mn"}
    return is_behind and unicodedata.category(after) in {"So", "Lo"}


def _mark(character: str) -> str:
    if character in VISIBLE:
        return VISIBLE[character]
    if unicodedata.category(character) in UNSEEN:
        return f"[U+{ord(character):04X}]"
    return character
