"""Detects the format of a file from its first bytes and its name. Pure: no Django."""

import json
import re
from pathlib import Path, PurePath

from ingestion.errors import UnreadableInput
from ingestion.parsing.compression import EMPTY_ZIP, GZIP, ZIP, holds_workbook
from ingestion.parsing.detection.encoding import unicode_of
from ingestion.parsing.dialect import Format

# How many bytes are read to see whether a file is a table of text at all.
START_BYTES = 4096

NOT_TEXT = [
    (
        b"\xd0\xcf\x11\xe0",
        "it is an old Excel or Word file, or password-protected. Save it as .xlsx or CSV.",
    ),
    (b"%PDF", "it is a PDF document, not a table. Export the table as CSV."),
    (b"\x89PNG", "it is an image, not a table."),
    (b"\xff\xd8\xff", "it is an image, not a table."),
    (b"SQLite format 3\0", "it is an SQLite database. Export the table as CSV."),
    (b"PAR1", "it is a Parquet file. Save it as CSV."),
    (b"BZh", "it is compressed with bzip2. Use gzip or zip, or unpack it first."),
    (b"\xfd7zXZ\0", "it is compressed with xz. Use gzip or zip, or unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive. Use gzip or zip, or unpack it first."),
]
NOT_A_TABLE = [
    (
        re.compile(rb"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE),
        "it is an HTML or XML document, not a table.",
    ),
]
JSON_START = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{\]])')
SUFFIXES = {".json": Format.JSON, ".geojson": Format.JSON}
LINE_SUFFIXES = {".ndjson", ".jsonl", ".jsonlines"}


def check_is_table(start: bytes, name: str) -> None:
    """Raise UnreadableInput for a file whose first bytes show that it is not a table.

    Archives and workbooks are checked when they are read.
    """
    if not start:
        raise UnreadableInput(name, "it is empty.")
    if start.startswith((GZIP, ZIP, EMPTY_ZIP)):
        return
    for magic, reason in NOT_TEXT:
        if start.startswith(magic):
            raise UnreadableInput(name, reason)
    for pattern, reason in NOT_A_TABLE:
        if pattern.match(start):
            raise UnreadableInput(name, reason)
    if unicode_of(start):
        return
    # Some tables use these control characters as delimiters.
    control = sum(byte < 9 or 13 < byte < 32 for byte in start if byte not in b"\x01\x02\x1e\x1f")
    if control > len(start) * 0.1:
        raise UnreadableInput(name, "it is a binary file, not a table of text.")


def format_of(path: Path, start: bytes, name: str, encoding: str) -> Format:
    """The format of an unpacked file that is called ``name``. Raises UnreadableInput."""
    if start.startswith(ZIP):
        if holds_workbook(path, name):
            return Format.XLSX
        raise UnreadableInput(name, "it is a ZIP archive inside another archive. Unpack it first.")
    if start.startswith(GZIP):
        raise UnreadableInput(name, "it is compressed twice. Unpack it first.")
    suffix = PurePath(name.lower()).suffix
    if suffix in LINE_SUFFIXES:
        return Format.NDJSON
    if suffix not in SUFFIXES:
        # The start may end in the middle of a character.
        text = start.decode(encoding, "ignore").removeprefix("\ufeff")
        if not JSON_START.match(text):
            return Format.DELIMITED
    return Format.NDJSON if _is_object_a_line(path, encoding) else Format.JSON


def _is_object_a_line(path: Path, encoding: str) -> bool:
    """Whether each of the first two non-blank lines is a complete JSON object."""
    objects = 0
    with path.open(encoding=encoding, errors="replace", newline="\n") as file:
        while objects < 2 and (line := file.readline(1 << 20)):
            if not line.strip("\ufeff \t\r\n"):
                continue
            try:
                if not isinstance(json.loads(line.removeprefix("\ufeff")), dict):
                    return False
            except (ValueError, RecursionError):
                return False
            objects += 1
    return objects == 2
