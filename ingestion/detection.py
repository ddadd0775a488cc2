"""What a file is: its size, digest, encoding, dialect and columns. Pure: no Django, no tables."""

import codecs
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import charset_normalizer
import clevercsv
from clevercsv.detect import Detector

from ingestion.dialect import Dialect
from ingestion.errors import UnreadableInput

DELIMITERS = [",", ";", "\t", "|"]
CHUNK_BYTES = 1 << 20
# By so many bytes one sees whether a file is a table of text at all.
START_BYTES = 4096
# How much of the text the dialect is told from.
DIALECT_LINES = 60
DIALECT_CHARACTERS = 20_000
# How much of the lines that are not ASCII a legacy encoding is told from.
LEGACY_BYTES = 1 << 20
# With fewer bytes beyond ASCII there is nothing to tell languages apart by, and the encoding of
# Western Windows is what such a file most often is.
LEGACY_SAMPLE = 50

# What "surrogateescape" makes of a byte that does not fit the encoding.
WRONG_BYTE = re.compile("[\udc80-\udcff]")

BYTE_ORDER_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
NOT_TEXT = [
    (b"PK\x03\x04", "it is a ZIP archive or an Excel workbook. Save it as CSV."),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel or Word file. Save it as CSV."),
    (b"\x1f\x8b", "it is compressed with gzip. Unpack it first."),
    (b"%PDF", "it is a PDF document, not a table."),
    (b"\x89PNG", "it is a picture, not a table."),
    (b"\xff\xd8\xff", "it is a picture, not a table."),
    (b"SQLite format 3\0", "it is an SQLite database, not a table of text."),
]
NOT_A_TABLE = [
    (re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{])'), "it is JSON, not a table of text."),
    (re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "it is a page of HTML or XML."),
]
# The legacy encodings that are told from each other by the text they give. With more of them to
# choose from, the sample decides less.
LEGACY = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp932", "gb18030"]


@dataclass(slots=True)
class Detected:
    """What was found out about a file. ``notes`` are sentences worth telling."""

    size: int
    sha256: str
    encoding: str
    dialect: Dialect = field(default_factory=Dialect)
    notes: list[str] = field(default_factory=list)


def check_is_table(start: bytes, name: str) -> None:
    """Raise UnreadableInput for a file whose first bytes show that it is no table of text."""
    if not start:
        raise UnreadableInput(name, "it is empty.")
    for magic, reason in NOT_TEXT:
        if start.startswith(magic):
            raise UnreadableInput(name, reason)
    for pattern, reason in NOT_A_TABLE:
        if pattern.match(start):
            raise UnreadableInput(name, reason)
    if _marked_encoding(start) or _wide_encoding(start):
        return
    control = sum(byte < 9 or 13 < byte < 32 for byte in start)
    if control > len(start) * 0.1:
        raise UnreadableInput(name, "it is a binary file, not a table of text.")


def detect(
    path: Path,
    name: str,
    *,
    encoding: str | None = None,
    on_chunk: Callable[[], None] | None = None,
) -> Detected:
    """Find out what a file is, from all of its bytes. ``name`` is what its user calls it.

    ``encoding`` is taken for granted if the user gave it.
    ``on_chunk`` is called again and again while a large file is read. Raises UnreadableInput for
    a file that is missing, empty or no text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(START_BYTES)
            check_is_table(start, name)
            file.seek(0)
            found = _read_whole(file, start, on_chunk or (lambda: None))
    except OSError as error:
        raise UnreadableInput(name, f"{error.strerror or error}.") from error
    if encoding is not None:
        found.encoding, found.notes = encoding, []
    found.dialect = _dialect(path, found.encoding)
    return found


def digest(path: Path) -> tuple[int, str]:
    """Size in bytes, and SHA-256, of a file."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _marked_encoding(start: bytes) -> str | None:
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    return None


def _wide_encoding(start: bytes) -> str | None:
    """UTF-16 without a mark: in text that is mostly ASCII every other byte is zero."""
    half = len(start) // 2
    if half and start[1::2].count(0) > half * 0.4 and start[::2].count(0) < half * 0.1:
        return "utf-16-le"
    if half and start[::2].count(0) > half * 0.4 and start[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return None


def _read_whole(file: io.BufferedReader, start: bytes, on_chunk: Callable[[], None]) -> Detected:
    """Size, digest and encoding in one pass: a wrong byte may come after megabytes."""
    size, sha, beyond_ascii = 0, hashlib.sha256(), bytearray()
    marked = _marked_encoding(start) or _wide_encoding(start)
    wide = marked is not None and marked != "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    fitting = bad = 0
    while chunk := file.read(CHUNK_BYTES):
        on_chunk()
        size += len(chunk)
        sha.update(chunk)
        if wide or (chunk.isascii() and not decoder.getstate()[0]):
            continue
        text = decoder.decode(chunk)
        # Every character of several bytes makes the text shorter than its bytes.
        fitting += len(chunk) - len(text)
        bad += len(WRONG_BYTE.findall(text))
        if len(beyond_ascii) < LEGACY_BYTES:
            lines = (line for line in chunk.splitlines(keepends=True) if not line.isascii())
            beyond_ascii += b"".join(lines)
    tail = decoder.decode(b"", final=True)
    bad += len(tail)
    found = Detected(size, sha.hexdigest(), marked or "utf-8")
    if bad:
        if fitting >= bad or marked:
            found.notes.append(
                "The file is UTF-8 but for some bytes; the rows that hold them are rejected."
            )
        else:
            found.encoding = _legacy_encoding(bytes(beyond_ascii))
            found.notes.append(
                f"The file is not UTF-8. It was read as {found.encoding}, which is a guess."
            )
    return found


def _legacy_encoding(sample: bytes) -> str:
    if sum(byte > 127 for byte in sample) >= LEGACY_SAMPLE:
        likely = charset_normalizer.from_bytes(sample[:LEGACY_BYTES], cp_isolation=LEGACY)
        best = likely.best()
        # Among encodings that give as clean a text, the most usual one, not the first by name.
        alike = {
            name
            for match in likely
            if best is not None and match.chaos <= best.chaos + 0.02
            for name in (match.encoding, *match.could_be_from_charset)
        }
        if "cp1252" not in alike and best is not None:
            return best.encoding
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _dialect(path: Path, encoding: str) -> Dialect:
    # What does not fit the encoding says nothing about the dialect.
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines: list[str] = []
        characters = 0
        while len(lines) < DIALECT_LINES and characters < DIALECT_CHARACTERS:
            line = file.readline(DIALECT_CHARACTERS)
            if not line:
                break
            lines.append(line)
            characters += len(line)
    # The detector takes no NUL, and gives up on a cell that is too long for it.
    text = "".join(lines).replace("\0", "\ufffd")
    try:
        found = Detector().detect(text, delimiters=[d for d in DELIMITERS if d in text] or [","])
    except clevercsv.Error:
        found = None
    if found is None:
        return Dialect()
    # Quotes may begin further down than the sample reaches, so a dialect without any has them.
    return Dialect(
        delimiter=found.delimiter or ",",
        quote=found.quotechar or '"',
        escape=found.escapechar or None,
    )
