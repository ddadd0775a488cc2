"""The most that an input may have. Pure: no Django, no tables.

An input beyond them is refused by InputTooLarge before it fills memory or disk, or keeps a worker
busy for minutes. How many rows may be rejected is in ``ingestion.loading.reject_limit``.
"""

import shutil
from pathlib import Path

from records.rows import MAX_CELL_CHARACTERS

__all__ = ["MAX_CELL_CHARACTERS"]

# --- a table

# As many as a sheet of Excel has. Pages, profiles and rules have a part for each column.
MAX_COLUMNS = 16_384
# All names together: every page of the source and every export has all of them.
MAX_HEADER_CHARACTERS = 1 << 20
# A row, in one line or in several, or one value of a JSON document. It is parsed as a whole, and
# each of its cells takes some 60 bytes of memory besides its text. A longer one is rejected.
MAX_ROW_CHARACTERS = 1 << 24
# A line that is longer still is no row of a table, and too long to be kept as a rejected row: the
# input is refused. It is as many bytes as the longest row can have.
MAX_LINE_BYTES = MAX_ROW_CHARACTERS * 4
# Rows whose quotes are damaged are read again line by line. An input in which that comes to more
# characters than these, and than so many times what has been read, has another quote character.
MAX_REREAD_CHARACTERS = 1 << 25
MAX_REREAD_TIMES = 10
# The documents that databases take are not nested deeper.
MAX_DEPTH = 200

# --- a workbook

# The rows that Excel counts.
MAX_SHEET_ROWS = 1_048_576
# No person finds a sheet among more of them.
MAX_SHEETS = 1_000
# The texts that cells share are all held in memory while the workbook is open. A full sheet with
# several columns of texts that never repeat stays below.
MAX_SHARED_TEXT_BYTES = 512 << 20
# Styles, the list of sheets and the like are read as a whole. Excel allows 64,000 formats of
# cells, which come to some 20 MB.
MAX_PART_BYTES = 32 << 20
# So much of a sheet belongs to one cell at the most: the longest text, each character of which
# may be written as a reference.
MAX_CELL_XML_BYTES = 1 << 23
MAX_XML_DEPTH = 100

# --- packed files

# What a file may unpack to: up to FREE_UNPACKED_BYTES whatever its ratio, since small files are
# cheap; beyond, at most MAX_RATIO times its size. CSV of one repeated row shrinks to a 250th by
# gzip, of rows that only count up to a 10th; DEFLATE itself can't do better than a 1,032nd.
FREE_UNPACKED_BYTES = 256 << 20
MAX_RATIO = 200
# However large the packed file is: the disk holds it twice while it is read.
MAX_UNPACKED_BYTES = 64 << 30
# The list of the files in an archive is read as a whole, and takes ten times as much memory.
MAX_DIRECTORY_BYTES = 4 << 20
# What stays free on the disk for the database and for uploads: a twentieth of the disk, from
# RESERVE_BYTES to MAX_RESERVE_BYTES; of a disk smaller than 10 GiB only a tenth.
RESERVE_BYTES = 256 << 20
MAX_RESERVE_BYTES = 1 << 30


def most_unpacked(packed: int) -> int:
    """The bytes that a file of ``packed`` bytes may unpack to."""
    return min(max(FREE_UNPACKED_BYTES, MAX_RATIO * packed), MAX_UNPACKED_BYTES)


def reserve(folder: Path) -> int:
    """The bytes that stay free on the disk of a folder."""
    total = shutil.disk_usage(folder).total
    return min(max(RESERVE_BYTES, total // 20), MAX_RESERVE_BYTES, total // 10)
