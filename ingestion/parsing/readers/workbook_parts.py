"""Unpacks the parts of a workbook, within limits. Pure: no Django, no tables."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet._reader import ROW_TAG

from ingestion.errors import InputTooLarge
from ingestion.parsing.compression import check_directory
from ingestion.parsing.limits import (
    MAX_CELL_XML_BYTES,
    MAX_MERGED,
    MAX_PART_BYTES,
    MAX_XML_DEPTH,
    most_unpacked,
)
from ingestion.parsing.readers.books import Merged

# The exceptions of a damaged archive, or of damaged XML in it.
DAMAGED_PARTS = (
    zipfile.BadZipFile, zlib.error, DefusedXmlException, ParseError, LookupError, ValueError,
    EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip
SAVE_AS_CSV = "Save the sheet you need as CSV."


class WatchedFile(io.BufferedReader):
    """A file that calls a function on each read."""

    on_read: Callable[[], None] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.on_read is not None:
            self.on_read()
        return super().read(size)


# The namespaces of the strict variant of Open XML, and those that openpyxl knows.
STRICT_NAMESPACES = [
    (b"http://purl.oclc.org/ooxml/" + strict, b"http://schemas.openxmlformats.org/" + usual)
    for strict, usual in (
        (b"spreadsheetml/main", b"spreadsheetml/2006/main"),
        (b"officeDocument/relationships", b"officeDocument/2006/relationships"),
    )
]
# The root element comes within so many bytes.
ROOT_BYTES = 1 << 16
ROOT = re.compile(rb"<[A-Za-z_][^>]*>")
MERGED = re.compile(
    rb"""mergeCell\s[^>]{0,300}?ref=["']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})["']"""
)


class Part:
    """A part of a workbook that is unpacked as it is read; the size of elements is limited."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._since = 0
        self._is_begun = False

    def read(self, size: int = -1) -> bytes:
        if self._since > MAX_CELL_XML_BYTES:
            raise InputTooLarge(
                self._name,
                f"a cell, or another part of a sheet, of {self._since:,} bytes",
                MAX_CELL_XML_BYTES,
                SAVE_AS_CSV,
            )
        chunk = self._file.read(size)
        if not self._is_begun:
            self._is_begun = True
            chunk = self._begin(chunk)
        self._since += len(chunk)
        return chunk

    def _begin(self, chunk: bytes) -> bytes:
        """The beginning with the usual namespaces, which the root element declares."""
        while not (root := ROOT.search(chunk)) and len(chunk) < ROOT_BYTES:
            if not (more := self._file.read(ROOT_BYTES)):
                break
            chunk += more
        end = root.end() if root else 0
        return usual_namespaces(chunk[:end]) + chunk[end:]

    def elements(self, whole: str) -> Iterator[tuple[str, Element]]:
        """The events of its elements, which are dropped from memory once they have ended.

        Elements with the tag ``whole`` are yielded at their end, with all their content.
        """
        path: list[Element] = []
        kept = 0
        for event, element in iterparse(self, events=("start", "end")):
            if event == "start":
                path.append(element)
                if len(path) > MAX_XML_DEPTH:
                    raise ParseError("It is nested too deeply.")
                if not kept and element.tag == whole:
                    kept = len(path)
                elif not kept:
                    yield event, element
                continue
            path.pop()
            if kept and len(path) >= kept:
                continue
            kept = 0
            # Only rows and cells can be large; everything else is small.
            if element.tag in (whole, ROW_TAG):
                self._since = 0
            yield event, element
            if path:
                del path[-1][:]


class Archive(zipfile.ZipFile):
    """An archive that reads only small parts as a whole."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        check_directory(file, name)
        super().__init__(file)
        self._name = name
        size = sum(member.file_size for member in self.infolist())
        compressed = file.seek(0, io.SEEK_END)
        if size > (most := most_unpacked(compressed)):
            raise InputTooLarge(name, f"{size:,} bytes when unpacked", most, SAVE_AS_CSV)

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if (size := self.getinfo(name).file_size) > MAX_PART_BYTES:
            raise InputTooLarge(
                self._name, f"a part {name!r} of {size:,} bytes", MAX_PART_BYTES, SAVE_AS_CSV
            )
        return usual_namespaces(super().read(name, pwd))


def usual_namespaces(xml: bytes) -> bytes:
    """XML of the strict variant of Open XML with the namespaces of the usual one."""
    for strict, usual in STRICT_NAMESPACES:
        xml = xml.replace(strict, usual)
    return xml


def merged_down(file: IO[bytes], name: str) -> list[Merged]:
    """The cells of a sheet that are merged over several rows, by row.

    They come after the cells, so the part is searched without parsing it.
    """
    found: list[Merged] = []
    rest = b""
    while chunk := file.read(1 << 16):
        text = rest + chunk
        end = 0
        if b"mergeCell" in text:
            for match in MERGED.finditer(text):
                end = match.end()
                first, last = int(match[2]), int(match[4])
                if last > first:
                    column = column_index_from_string(match[1].decode()) - 1
                    found.append(Merged(first, last, column))
            if len(found) > MAX_MERGED:
                raise InputTooLarge(name, "too many merged cells", MAX_MERGED, SAVE_AS_CSV)
        rest = text[max(end, len(text) - 400) :]
    return sorted(found)
