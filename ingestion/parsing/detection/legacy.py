"""Guesses the legacy encoding of a text from its lines that are not ASCII. Pure: no Django."""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

# The encodings to choose from; the first of several that read a text alike is taken. With more of
# them, a guess would be less reliable.
ENCODINGS = (
    "cp1252", "iso8859-15", "cp1250", "iso8859-2", "cp1254", "iso8859-9", "cp1251", "koi8-r",
    "koi8-u", "cp866", "iso8859-5", "cp1253", "iso8859-7", "cp1255", "cp1256", "cp1257", "cp1258",
    "mac-roman", "cp850", "cp437", "cp852", "cp932", "euc_jp", "cp949", "gb18030", "big5", "cp874",
)  # fmt: skip
# Those that contain others.
WIDER = {
    "iso8859-1": "cp1252", "shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030",
    "gbk": "gb18030", "big5hkscs": "big5", "cp1125": "cp866", "tis-620": "cp874",
    "cp858": "cp850", "iso8859-8": "cp1255",
}  # fmt: skip
# How much of the lines is looked at.
SAMPLE_BYTES = 1 << 16
# With fewer bytes beyond ASCII languages can't be told apart, and such files are mostly in the
# encoding of Western Windows.
FEW_BYTES = 6
GUESSES = 3
SHOWN_CHARACTERS = 120
# What Western text does not have: an upper-case letter after a lower-case one, three letters
# beyond ASCII in a row, a sign between letters.
ODD = re.compile(
    r"[a-z\u00df-\u00f6\u00f8-\u00ff][\u00c0-\u00d6\u00d8-\u00de\u0160\u017d\u0178\u0152]"
    r"|[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0160\u0161\u017d\u017e\u0178\u0152\u0153]{3}"
    r"|[^\W\d_][^\w\s\x00-\x7f\u2019\u00b4\u00b7][^\W\d_]"
    r"|[\u00a4\u00a6\u00a8\u00ac\u00af\u00b8\u0192\u02c6\u2021]"
)
# No text has these.
CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")


class Guess(NamedTuple):
    """An encoding, and some of the text as it reads it."""

    encoding: str
    text: str


def guesses(sample: bytes) -> list[Guess]:
    """The encodings that a text may have, the most plausible first: at least one."""
    sample = sample[: SAMPLE_BYTES - 1]
    # The last character may be cut.
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    found: dict[str, str] = {}
    for encoding, text in _read(sample):
        twin = next((other for other, read in found.items() if read == text), None)
        if twin is None:
            found[encoding] = text
        elif ENCODINGS.index(encoding) < ENCODINGS.index(twin):
            # Put the more common one in the place of its twin.
            found = {encoding if other == twin else other: read for other, read in found.items()}
    if not found:
        found["iso8859-1"] = sample.decode("latin-1")
    return [Guess(encoding, _shown(text)) for encoding, text in found.items()][:GUESSES]


def _read(sample: bytes) -> Iterator[tuple[str, str]]:
    """Encodings with the text that each makes of a sample, in the order of their plausibility."""
    western = _decoded(sample, "cp1252")
    beyond = sum(byte > 127 for byte in sample)
    if western is not None and beyond < FEW_BYTES and not ODD.search(western):
        yield "cp1252", western
    # Importing it takes long, and few files need it.
    import chardet

    for found in chardet.detect_all(sample, ignore_threshold=True):
        name = codecs.lookup(found["encoding"]).name if found["encoding"] else ""
        encoding = WIDER.get(name, name)
        if encoding in ENCODINGS and (text := _decoded(sample, encoding)) is not None:
            yield encoding, text
    if western is not None:
        yield "cp1252", western


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if CONTROLS.search(text) else text


def _shown(text: str) -> str:
    """The words with characters beyond ASCII, as an example."""
    words = dict.fromkeys(
        word.strip("\"'.;:()") for word in re.split(r"[\s,;|\t]+", text) if not word.isascii()
    )
    return ", ".join(words)[:SHOWN_CHARACTERS]
