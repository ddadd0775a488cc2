"""Request bodies that are the input itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from rest_framework import exceptions, parsers

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kind:
    """What the media type of a body says: the file extension and parsing options."""

    ending: str
    format: str = ""


# In lower case, as they are compared.
KINDS = {
    "text/csv": Kind("csv", "delimited"),
    "text/tab-separated-values": Kind("tsv", "delimited"),
    "text/plain": Kind("txt"),
    "application/json": Kind("json", "json"),
    "application/x-ndjson": Kind("ndjson", "ndjson"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Kind("xlsx", "xlsx"),
    "application/vnd.ms-excel": Kind("xls"),
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": Kind("xlsb", "xlsb"),
    "application/vnd.ms-excel.sheet.macroenabled.12": Kind("xlsm", "xlsx"),
    "application/vnd.oasis.opendocument.spreadsheet": Kind("ods", "ods"),
    "application/vnd.apache.parquet": Kind("parquet", "parquet"),
    "text/html": Kind("html", "html"),
    "application/gzip": Kind("gz"),
    "application/zip": Kind("zip"),
}


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is a file and has not been read yet."""

    stream: IO[bytes]


class BodyParser(parsers.BaseParser):
    """Leaves the body unread: the sender must be authenticated before it fills the disk."""

    def parse(self, stream: IO[bytes], *args: Any, **kwargs: Any) -> Any:
        return Body(stream)


def chunks(body: Body, length: int) -> Iterator[bytes]:
    """The body, in chunks. Raises ParseError if it is shorter than announced."""
    left = length
    while left and (chunk := body.stream.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
    if left:
        raise exceptions.ParseError(
            f"The body ended after {length - left:,} of {length:,} bytes. Nothing was imported."
        )
