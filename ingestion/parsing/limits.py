"""The limits of an input. Pure: no Django, no tables.

An input that exceeds one is refused with InputTooLarge before it fills memory or disk, or keeps a
worker busy for minutes. The limit of rejected rows is in ``ingestion.loading.reject_limit``.
"""

import shutil
from pathlib import Path

from records.rows import MAX_CELL_CHARACTERS

__all__ = ["MAX_CELL_CHARACTERS"]

# --- a table

# The limit of an Excel sheet. Pages, profiles and rules handle each column separately.
MAX_COLUMNS = 16_384
# Of all names together: every page of the source and every export contains all of them.
MAX_HEADER_CHARACTERS = 1 << 20
# A row, in one line or in several, or one value of a JSON document. It is parsed as a whole, and
# each of its cells takes some 60 bytes of memory besides its text. A longer one is rejected.
MAX_ROW_CHARACTERS = 1 << 24
# A longer line is not a row of a table, and too long to be kept as a rejected row: the input is
# refused. This is the size in bytes of the longest possible row.
MAX_LINE_BYTES = MAX_ROW_CHARACTERS * 4
# Rows with damaged quotes are read again line by line. If that exceeds this many characters, and
# this many times what has been read, the input has another quote character.
MAX_REREAD_CHARACTERS = 1 << 25
MAX_REREAD_TIMES = 10
# Databases don't accept documents that are nested deeper.
MAX_DEPTH = 200
# So many levels of nested JSON objects become columns, if there are not more columns than this, and
# what is deeper stays one cell: an object used as a dictionary would make a column for each key.
MAX_NESTED = 5
MAX_NESTED_COLUMNS = 1_000

# --- items of a request, which are imported while its sender waits

MAX_ITEMS = 10_000
MAX_ITEMS_BYTES = 16 << 20

# --- a workbook

# The rows that Excel counts.
MAX_SHEET_ROWS = 1_048_576
# Nobody finds a sheet among more than these.
MAX_SHEETS = 1_000
# All shared texts are in memory while the workbook is open. A full sheet with several columns of
# unique texts stays below this.
MAX_SHARED_TEXT_BYTES = 512 << 20
# Styles, the list of sheets and the like are read as a whole. Excel allows 64,000 formats of
# cells, which come to some 20 MB.
MAX_PART_BYTES = 32 << 20
# The largest XML of one cell: the longest text, if each character is written as a reference.
MAX_CELL_XML_BYTES = 1 << 23
MAX_XML_DEPTH = 100
# Ranges of merged cells over several rows; all of them are in memory.
MAX_MERGED = 100_000
# How many cells a sheet may make by repeating others, or by cells that span several.
MAX_REPEATED_CELLS = 50_000_000
# Old and binary Excel files are read into memory, by a process with these limits. A full sheet of
# an old file, which has 65,536 rows and 256 columns, takes half of it.
MAX_BOOK_MEMORY = 1 << 30
MAX_BOOK_SECONDS = 300.0
# The longest part of an HTML document without a tag.
MAX_HTML_CHARACTERS = 1 << 20

# --- compressed files

# What a file may unpack to: up to FREE_UNPACKED_BYTES at any ratio, since small files are cheap;
# beyond that, at most MAX_RATIO times its size. Gzip shrinks CSV of one repeated row to a 250th,
# and of rows that only count up to a 10th; DEFLATE can't do better than a 1,032nd.
FREE_UNPACKED_BYTES = 256 << 20
MAX_RATIO = 200
# However large the compressed file is: the disk holds it twice while it is read.
MAX_UNPACKED_BYTES = 64 << 30
# The directory of an archive is read as a whole, and takes ten times as much memory.
MAX_DIRECTORY_BYTES = 4 << 20
# What stays free on the disk for the database and for uploads: a twentieth of the disk, from
# RESERVE_BYTES to MAX_RESERVE_BYTES; of a disk smaller than 10 GiB only a tenth.
RESERVE_BYTES = 256 << 20
MAX_RESERVE_BYTES = 1 << 30


def most_unpacked(compressed: int) -> int:
    """How many bytes a file of ``compressed`` bytes may unpack to."""
    return min(max(FREE_UNPACKED_BYTES, MAX_RATIO * compressed), MAX_UNPACKED_BYTES)


def reserve(folder: Path) -> int:
    """How many bytes are kept free on the disk of a folder."""
    total = shutil.disk_usage(folder).total
    return min(max(RESERVE_BYTES, total // 20), MAX_RESERVE_BYTES, total // 10)
