"""Inputs that are made to fill memory or to keep a worker busy, and what reading them costs."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
TYPES = "[Content_Types].xml"
LISTED = (
    f'<Override PartName="/{STRINGS}" ContentType="application/vnd.openxmlformats-officedocument'
    '.spreadsheetml.sharedStrings+xml" />'
)
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

READ = """
import sys, tempfile
from pathlib import Path
from ingestion.errors import IngestionError
from ingestion.parsing.preparation import prepare
from ingestion.parsing.readers import open_reader
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
path, rows, rejected = Path(sys.argv[1]), 0, 0
# What all inputs need is loaded, and takes memory, before.
small = Path(tempfile.mkdtemp()) / "small.csv"
small.write_text("id,b\\n1,2\\n3,4\\n")
prepare(small, "small.csv", reading={}, named={}, remembered={})
before = peak()
try:
    found = prepare(path, path.name, reading={}, named={}, remembered={}).detected
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect
    ) as reader:
        for chunk in reader.chunks(10_000):
            rows += len(chunk.rows)
            rejected += len(chunk.rejects)
    said = ""
except IngestionError as error:
    said = str(error)
after = peak()
print(rows, rejected, (after - before) // 1024, said)
"""


class Cost(NamedTuple):
    """What reading an input came to: ``said`` is why it was refused, "" where it was not.

    ``seconds`` are of the processor, which other work on the machine does not add to.
    """

    rows: int
    rejected: int
    megabytes: int
    said: str
    seconds: float


def read_apart(path: Path) -> Cost:
    """Detect, prepare and read an input in a process of its own; what that took."""
    began = _of_children()
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    rows, rejected, megabytes, *said = done.stdout.strip().split(" ", 3)
    seconds = _of_children() - began
    return Cost(int(rows), int(rejected), int(megabytes), "".join(said), seconds)


def _of_children() -> float:
    """The seconds of the processor that processes which have ended took."""
    times = os.times()
    return times.children_user + times.children_system


def workbook(path: Path, parts: dict[str, Iterable[bytes]]) -> Path:
    """A workbook with an id and a value, some parts of which are replaced, piece by piece."""
    book = openpyxl.Workbook(write_only=True)
    first = book.create_sheet()
    for row in (["id", "value"], ["a", 1]):
        first.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name not in parts}
    if STRINGS in parts:
        kept[TYPES] = kept[TYPES].replace(b"</Types>", LISTED.encode() + b"</Types>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
        for name, pieces in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                for piece in pieces:
                    part.write(piece)
    return path


def sheet(*pieces: bytes) -> Iterable[bytes]:
    """A sheet with these pieces between its first row and its end."""
    yield f'<worksheet xmlns="{SPREADSHEET}"><sheetData>'.encode()
    yield b'<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c>'
    yield b'<c r="B1" t="inlineStr"><is><t>value</t></is></c></row>'
    yield from pieces
    yield b"</sheetData></worksheet>"


def strings(*pieces: bytes) -> Iterable[bytes]:
    """The texts that cells share."""
    yield f'<sst xmlns="{SPREADSHEET}">'.encode()
    yield from pieces
    yield b"</sst>"
