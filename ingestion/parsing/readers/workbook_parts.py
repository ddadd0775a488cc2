"""Unpacks the parts of a workbook, within limits. Pure: no Django, no tables."""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse
from openpyxl.worksheet._reader import ROW_TAG

from ingestion.errors import InputTooLarge
from ingestion.parsing.compression import check_directory
from ingestion.parsing.limits import (
    MAX_CELL_XML_BYTES,
    MAX_PART_BYTES,
    MAX_XML_DEPTH,
    most_unpacked,
)

SAVE_AS_CSV = "Save the sheet you need as CSV."


class WatchedFile(io.BufferedReader):
    """A file that calls a function on each read."""

    on_read: Callable[[], None] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.on_read is not None:
            self.on_read()
        return super().read(size)


class Part:
    """A part of a workbook that is unpacked as it is read; the size of elements is limited."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._since = 0

    def read(self, size: int = -1) -> bytes:
        if self._since > MAX_CELL_XML_BYTES:
            raise InputTooLarge(
                self._name,
                f"a cell, or another part of a sheet, of {self._since:,} bytes",
                MAX_CELL_XML_BYTES,
                SAVE_AS_CSV,
            )
        chunk = self._file.read(size)
        self._since += len(chunk)
        return chunk

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
        packed = file.seek(0, io.SEEK_END)
        if size > (most := most_unpacked(packed)):
            raise InputTooLarge(name, f"{size:,} bytes when unpacked", most, SAVE_AS_CSV)

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if (size := self.getinfo(name).file_size) > MAX_PART_BYTES:
            raise InputTooLarge(
                self._name, f"a part {name!r} of {size:,} bytes", MAX_PART_BYTES, SAVE_AS_CSV
            )
        return super().read(name, pwd)
