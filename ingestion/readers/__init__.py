"""Bytes -> rows: a reader for each format. Pure: no Django, no tables."""

from pathlib import Path

from ingestion.dialect import Dialect
from ingestion.readers.base import Chunk, Reader
from ingestion.readers.delimited import DelimitedReader
from ingestion.readers.repaired import knowing_lines

__all__ = ["Chunk", "Reader", "open_reader"]


def open_reader(path: Path, *, name: str, encoding: str, dialect: Dialect) -> Reader:
    """A reader of the file at ``path``, which its user calls ``name``."""
    reader = DelimitedReader(path, name=name, encoding=encoding, dialect=dialect)
    return knowing_lines(reader, encoding=encoding, dialect=dialect)
