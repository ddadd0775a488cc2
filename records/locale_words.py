"""The words of dates and money in the large languages: those of the Unicode locale data.

Loading the data itself takes a second of each process, so ``locale_words.json`` keeps the words.
``tests/records/locale_words.py`` makes that file, and says what is left out. Pure: no Django.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_suffix(".json")


@cache
def locale_words(kind: str) -> Mapping[str, Any]:
    """What words of a kind mean.

    ``months``: their number; ``weekdays``: theirs, from 0; ``halves``: 0 for the morning and 1 for
    the afternoon; ``currencies``: the list of codes that a symbol may stand for.
    """
    words: Mapping[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))[kind]
    return words
