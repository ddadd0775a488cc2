"""Tells spreadsheets from other documents: old Office files, HTML and XML. Pure: no Django."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.errors import UnreadableInput
from ingestion.parsing.dialect import Format

# How much of the directory of an Office file is searched for its kind.
DIRECTORY_BYTES = 1 << 16
ENTRY_BYTES = 128
# What an old Office file is, by the name of a stream in it.
STREAMS = {
    "Workbook": "",
    "Book": "",
    "EncryptedPackage": "it is protected by a password. Save it without one.",
    "WordDocument": "it is a Word document, not a table. Save the table in it as .xlsx or CSV.",
    "PowerPoint Document": "it is a PowerPoint presentation, not a table.",
    "__properties_version1.0": "it is an Outlook message, not a table.",
    "VisioDocument": "it is a Visio drawing, not a table.",
}
HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?"
    r"<(?:!doctype\s+html|html|head|body|meta|table)\b",
    re.I | re.S,
)
XML = re.compile(r"\s*<\?xml\b", re.I)
XML_KINDS = [
    (
        "urn:schemas-microsoft-com:office:spreadsheet",
        "it is an XML spreadsheet of Excel 2003. Open it in Excel, and save it as .xlsx or CSV.",
    ),
    (
        "opendocument",
        "it is an OpenDocument file that is not compressed. Save it as .ods, .xlsx or CSV.",
    ),
    ("", "it is an XML document, not a table. Export the table as CSV."),
]
CHARSET = re.compile(rb"""<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.I)
TABLE = re.compile(rb"<\0?t\0?a\0?b\0?l\0?e\b", re.I)
NO_TABLE = "it is an HTML document without a table."
CHUNK_BYTES = 1 << 20


def office_format(path: Path, name: str) -> Format:
    """The format of an old Office file. Raises UnreadableInput unless it is an Excel workbook."""
    for stream in _streams(path):
        if stream in STREAMS:
            if STREAMS[stream]:
                raise UnreadableInput(name, STREAMS[stream])
            return Format.XLS
    raise UnreadableInput(
        name, "it is an old Office file, but not an old Excel workbook. Save it as .xlsx or CSV."
    )


def _streams(path: Path) -> Iterator[str]:
    """The names at the beginning of the directory of an Office file."""
    with path.open("rb") as file:
        header = file.read(512)
        if len(header) < 512:
            return
        sector = 1 << min(int.from_bytes(header[30:32], "little"), 16)
        first = int.from_bytes(header[48:52], "little")
        file.seek((first + 1) * sector)
        directory = file.read(DIRECTORY_BYTES)
    for start in range(0, len(directory) - ENTRY_BYTES + 1, ENTRY_BYTES):
        entry = directory[start : start + ENTRY_BYTES]
        size = min(int.from_bytes(entry[64:66], "little"), 64)
        yield entry[: max(size - 2, 0)].decode("utf-16-le", "replace")


def is_html(text: str) -> bool:
    """Whether a text begins like an HTML document or a table in it."""
    return HTML.match(text) is not None


def check_has_table(path: Path, name: str) -> None:
    """Raise UnreadableInput for an HTML document without a table."""
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if TABLE.search(rest + chunk):
                return
            rest = chunk[-20:]
    raise UnreadableInput(name, NO_TABLE)


def check_is_no_xml(text: str, name: str) -> None:
    """Raise UnreadableInput for a text that begins like an XML document."""
    if XML.match(text) and not is_html(text):
        raise UnreadableInput(name, next(reason for mark, reason in XML_KINDS if mark in text))


def declared_encoding(start: bytes) -> str | None:
    """The encoding that an HTML document declares at its beginning."""
    found = CHARSET.search(start)
    if found is None:
        return None
    # Browsers read these as Windows-1252, which is a superset of them.
    name = found[1].decode("ascii", "replace").lower()
    if name in ("iso-8859-1", "latin1", "us-ascii"):
        return "cp1252"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
