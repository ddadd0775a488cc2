"""A digest by which two states of a source can be told apart, on whatever database they lie."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from records.models import DataRecord

SUMS_BELOW = 1 << 256


@dataclass(frozen=True, slots=True)
class SourceDigest:
    """What a source holds: how many records, and the sum of their digests (SHA-256, in hex)."""

    digest: str
    records: int


def digest_of(source: str) -> SourceDigest:
    """The digest over id and data of every record of a source, in whatever order they come."""
    total = count = 0
    records = DataRecord.objects.of_source(source).order_by().values_list("id", "data")
    for record_id, data in records.iterator(chunk_size=5_000):
        made = hashlib.sha256(record_id.encode() + b"\0" + _canonical(data))
        total += int.from_bytes(made.digest(), "big")
        count += 1
    return SourceDigest(f"{total % SUMS_BELOW:064x}", count)


def _canonical(data: dict[str, Any]) -> bytes:
    if all(isinstance(cell, str) for cell in data.values()):
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return json.dumps(_plain(data), sort_keys=True).encode()


def _plain(value: Any) -> Any:
    """A value with its numbers as PostgreSQL gives them back, which writes 1e16 out."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
