"""Detects the encoding of a text file from all of its bytes. Pure: no Django."""

import codecs
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field

from ingestion.parsing.detection.legacy import Guess, guesses
from ingestion.parsing.input_file import Digest
from ingestion.parsing.readers.base import LineLength

CHUNK_BYTES = 1 << 20
# How much of the non-ASCII lines is used to detect a legacy encoding.
LEGACY_BYTES = 1 << 20
BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
# How ISO-2022-JP, in which all bytes are ASCII, begins Japanese text.
ESCAPE = b"\x1b$"


@dataclass(slots=True)
class Text:
    """Size, digest and encoding of a file; ``notes`` are sentences for the user.

    ``guesses`` are the encodings that it may have, if that can only be guessed.
    ``longest_line`` is the approximate size of its longest line in bytes.
    """

    digest: Digest
    encoding: str
    longest_line: int = 0
    guesses: list[Guess] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def marked_encoding(start: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    return None


def unicode_of(start: bytes) -> str | None:
    """The Unicode encoding that the first bytes of a file show."""
    return marked_encoding(start) or _wide_encoding(start)


def _wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: in mostly ASCII text, one or three of each unit are zero."""
    quarter = len(start) // 4
    zeros = [start[place::4].count(0) > quarter * 0.9 for place in range(4)]
    if quarter and zeros in ([False, True, True, True], [True, True, True, False]):
        return "utf-32-be" if zeros[0] else "utf-32-le"
    half = len(start) // 2
    if half and start[1::2].count(0) > half * 0.4 and start[::2].count(0) < half * 0.1:
        return "utf-16-le"
    if half and start[::2].count(0) > half * 0.4 and start[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return None


def read_whole(file: io.BufferedReader, start: bytes, on_chunk: Callable[[], None]) -> Text:
    """Size, digest and encoding in one pass: an invalid byte may come after megabytes."""
    size, sha, beyond_ascii = 0, hashlib.sha256(), bytearray()
    escaped = bytearray()
    marked = unicode_of(start)
    wide = marked is not None and marked != "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    fitting = bad = 0
    lines_seen = LineLength(marked or "utf-8")
    while chunk := file.read(CHUNK_BYTES):
        on_chunk()
        size += len(chunk)
        sha.update(chunk)
        lines_seen.add(chunk)
        if ESCAPE in chunk and len(escaped) < LEGACY_BYTES:
            escaped += chunk[:LEGACY_BYTES]
        if wide or (chunk.isascii() and not decoder.getstate()[0]):
            continue
        text = decoder.decode(chunk)
        # Multi-byte characters make the text shorter than its bytes.
        fitting += len(chunk) - len(text)
        # The invalid bytes, which "surrogateescape" has turned into surrogates.
        bad += len(text) - len(text.encode(errors="ignore").decode())
        if len(beyond_ascii) < LEGACY_BYTES:
            lines = (line for line in chunk.splitlines(keepends=True) if not line.isascii())
            beyond_ascii += b"".join(lines)
    tail = decoder.decode(b"", final=True)
    bad += len(tail)
    digest = Digest(size, sha.hexdigest())
    found = Text(digest, marked or "utf-8", lines_seen.longest)
    if bad and (fitting >= bad or marked):
        found.notes.append(
            "The file is UTF-8 with some invalid bytes; rows that contain them are rejected."
        )
    elif bad:
        found.guesses = guesses(bytes(beyond_ascii))
        found.encoding = found.guesses[0].encoding
        others = " or ".join(guess.encoding for guess in found.guesses[1:])
        found.notes.append(
            f"The file is not UTF-8. It was read as {found.encoding}, which is a guess"
            f"{f'; it may also be {others}' if others else ''}."
        )
    elif escaped and not fitting and _is_japanese(bytes(escaped)):
        found.encoding = "iso2022_jp"
        found.notes.append("The file was read as ISO-2022-JP, since it has its escape sequences.")
    return found


def _is_japanese(sample: bytes) -> bool:
    """Whether bytes with escape sequences are Japanese text."""
    try:
        return not codecs.getincrementaldecoder("iso2022_jp")().decode(sample).isascii()
    except UnicodeDecodeError:
        return False
