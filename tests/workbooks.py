"""Writes workbooks that openpyxl can't: strict Open XML, binary Excel, OpenDocument."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = {
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": (
        b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    ),
    RELATIONSHIPS.encode(): b"http://purl.oclc.org/ooxml/officeDocument/relationships",
}
ODS = "urn:oasis:names:tc:opendocument:xmlns"


def make_strict(path: Path) -> None:
    """Turn a workbook into the strict variant of Open XML."""
    change_parts(path, lambda name, xml: _strict(xml))


def _strict(xml: bytes) -> bytes:
    for usual, strict in STRICT.items():
        xml = xml.replace(usual, strict)
    return xml


def change_parts(path: Path, change: Any) -> None:
    """Rewrite the parts of an archive: ``change`` gets the name and the content of each."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))


def write_ods(path: Path, body: str, styles: str = "") -> None:
    """An OpenDocument spreadsheet of these tables, in the prefixes table, office and text."""
    names = " ".join(
        f'xmlns:{prefix}="{ODS}:{prefix}:1.0"' for prefix in ("office", "table", "text", "style")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)


def ods_table(name: str, rows: Sequence[Sequence[str]], style: str = "") -> str:
    """A table of an OpenDocument spreadsheet; cells that begin with "<" are XML."""
    written = "".join(
        "<table:table-row>"
        + "".join(cell if cell.startswith("<") else ods_cell(cell) for cell in row)
        + "</table:table-row>"
        for row in rows
    )
    styled = f" table:style-name={quoteattr(style)}" if style else ""
    return f"<table:table table:name={quoteattr(name)}{styled}>{written}</table:table>"


def ods_cell(text: str, kind: str = "string", more: str = "") -> str:
    """A cell with a type and further attributes."""
    shown = f"<text:p>{escape(text)}</text:p>" if text else ""
    return f'<table:table-cell office:value-type="{kind}" {more}>{shown}</table:table-cell>'


def write_xlsb(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """A binary Excel workbook of texts, numbers and truth values."""
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONSHIPS}/worksheet" '
        f'Target="worksheets/sheet{number}.bin"/>'
        for number in range(1, len(sheets) + 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        archive.writestr("xl/workbook.bin", _book(list(sheets)))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{package}/relationships">{listed}</Relationships>',
        )
        for number, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _sheet(rows))


def _book(names: Sequence[str]) -> bytes:
    listed = b"".join(
        _record(0x9C, struct.pack("<II", 0, number) + _wide(f"rId{number}") + _wide(name))
        for number, name in enumerate(names, start=1)
    )
    return _record(0x83) + _record(0x8F) + listed + _record(0x90) + _record(0x84)


def _sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    out = _record(0x81) + _record(0x94, size) + _record(0x91)
    for line, row in enumerate(rows):
        out += _record(0x00, struct.pack("<IIHHBI", line, 0, 300, 0, 0, 0))
        for column, value in enumerate(row):
            if value is None:
                continue
            place = struct.pack("<II", column, 0)
            if isinstance(value, str):
                out += _record(0x06, place + _wide(value))
            elif isinstance(value, bool):
                out += _record(0x04, place + bytes([value]))
            else:
                out += _record(0x05, place + struct.pack("<d", value))
    return out + _record(0x92) + _record(0x82)


def _record(kind: int, body: bytes = b"") -> bytes:
    return (bytes([kind]) if kind < 128 else bytes([kind, 1])) + _length(len(body)) + body


def _length(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
