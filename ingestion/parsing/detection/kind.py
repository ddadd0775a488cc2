"""Detects the format of a file from its first bytes and its name. Pure: no Django."""

import json
import re
from pathlib import Path, PurePath

from ingestion.errors import UnreadableInput
from ingestion.parsing.compression import EMPTY_ZIP, GZIP, OLE, PARQUET, ZIP, document_kind
from ingestion.parsing.detection.documents import (
    NO_TABLE,
    check_has_table,
    check_is_no_xml,
    is_html,
    office_format,
)
from ingestion.parsing.detection.encoding import unicode_of
from ingestion.parsing.dialect import WORKBOOKS, Format

# How many bytes are read to see whether a file is a table of text at all.
START_BYTES = 4096

NOT_TEXT = [
    (b"%PDF", "it is a PDF document, not a table. Export the table as CSV."),
    (b"\x89PNG", "it is an image, not a table."),
    (b"\xff\xd8\xff", "it is an image, not a table."),
    (b"SQLite format 3\0", "it is an SQLite database. Export the table as CSV."),
    (b"PARE", "it is an encrypted Parquet file. Save it without encryption."),
    (b"BZh", "it is compressed with bzip2. Use gzip or zip, or unpack it first."),
    (b"\xfd7zXZ\0", "it is compressed with xz. Use gzip or zip, or unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive. Use gzip or zip, or unpack it first."),
]
# The escape sequences of ISO-2022-JP.
JAPANESE = re.compile(rb"\x1b\$[@B].*?\x1b\([BJ]", re.DOTALL)
PADDING = re.compile(rb"\0{8,}+")
JSON_START = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{\]])')
SUFFIXES = {".json": Format.JSON, ".geojson": Format.JSON}
LINE_SUFFIXES = {".ndjson", ".jsonl", ".jsonlines"}


def check_is_table(start: bytes, name: str) -> None:
    """Raise UnreadableInput for a file whose first bytes show that it is not a table.

    Archives, workbooks and Parquet files are checked when they are read.
    """
    if not start or start.startswith((GZIP, ZIP, EMPTY_ZIP, OLE, PARQUET)):
        return
    for magic, reason in NOT_TEXT:
        if start.startswith(magic):
            raise UnreadableInput(name, reason)
    encoding = unicode_of(start)
    text = start.decode(encoding or "utf-8", "replace").removeprefix("\ufeff")
    check_is_no_xml(text, name)
    if len(start) < START_BYTES and is_html(text) and "<table" not in text.lower():
        raise UnreadableInput(name, NO_TABLE)
    if encoding:
        return
    # A file that was not closed in order is padded with zeros.
    start = PADDING.sub(b"", start)
    if JAPANESE.search(start):
        return
    # Some tables use these control characters as delimiters.
    control = sum(byte < 9 or 13 < byte < 32 for byte in start if byte not in b"\x01\x02\x1e\x1f")
    if not start or control > len(start) * 0.1:
        raise UnreadableInput(name, "it is a binary file, not a table of text.")


def format_of(path: Path, start: bytes, name: str, encoding: str) -> Format:
    """The format of an unpacked file that is called ``name``. Raises UnreadableInput."""
    if start.startswith(ZIP):
        kind = document_kind(path, name)
        if kind in WORKBOOKS:
            return Format(kind)
        if kind:
            raise UnreadableInput(
                name, f"it is {kind}, not a table. Save the table in it as .xlsx or CSV."
            )
        raise UnreadableInput(name, "it is a ZIP archive inside another archive. Unpack it first.")
    if start.startswith(GZIP):
        raise UnreadableInput(name, "it is compressed twice. Unpack it first.")
    if start.startswith(OLE):
        return office_format(path, name)
    if start.startswith(PARQUET):
        return Format.PARQUET
    # The start may end in the middle of a character.
    text = start.decode(encoding, "ignore").removeprefix("\ufeff")
    if is_html(text):
        check_has_table(path, name)
        return Format.HTML
    suffix = PurePath(name.lower()).suffix
    if not start:
        if suffix in SUFFIXES:
            raise UnreadableInput(name, "it is empty, which is no JSON document.")
        return Format.DELIMITED
    if suffix in LINE_SUFFIXES:
        return Format.NDJSON
    if suffix not in SUFFIXES and not JSON_START.match(text):
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
