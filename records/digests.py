"""Digests that tell two states of a source apart, on any database."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from records.models import DataRecord, ProcessingResult, RuleSet

SUMS_BELOW = 1 << 256
READ_ROWS = 5_000
# What a result says; the moment of processing, how long it took and who did it are no part of it.
SAID = (
    "success", "error_message", "errors", "repairs", "value", "category", "repaired", "anomaly",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceDigest:
    """What a source holds: how many records, and the sum of their digests (SHA-256, in hex)."""

    digest: str
    records: int


def digest_of(source: str) -> SourceDigest:
    """The digest over id and data of every record of a source that is not closed, in whatever order
    they come."""
    found = DataRecord.objects.of_source(source).open().order_by().values_list("id", "data")
    return _digest((key, _canonical(data)) for key, data in found.iterator(chunk_size=READ_ROWS))


def digest_of_results(source: str) -> SourceDigest:
    """The digest over what the current result of every record of a source says, in whatever order
    they come, whenever and by whichever version of the rules it was made."""
    stamped = {
        rules.pk: _stamped(rules.rules) for rules in RuleSet.objects.filter(source__name=source)
    }
    results = ProcessingResult.objects.current().of_source(source).order_by()
    found = results.values_list("record_id", "rule_set_id", "processed_data", *SAID)
    return _digest(
        (key, _canonical([_without(cells, stamped.get(rule_set, frozenset())), *said]))
        for key, rule_set, cells, *said in found.iterator(chunk_size=READ_ROWS)
    )


def _digest(parts: Iterable[tuple[str, bytes]]) -> SourceDigest:
    """The digest over ids, and what there is to each."""
    total = count = 0
    for count, (key, content) in enumerate(parts, start=1):  # noqa: B007 (the last one is told)
        made = hashlib.sha256(key.encode() + b"\0" + content)
        total += int.from_bytes(made.digest(), "big")
    return SourceDigest(f"{total % SUMS_BELOW:064x}", count)


def _stamped(rules: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The columns in which a version of rules puts the moment of processing."""
    found: set[str] = set()
    for step in rules:
        match step:
            case {"off": True}:
                continue
            case {"rule": "stamp", "column": name}:
                found.add(name)
            case {"rule": "rename", "column": name, "to": to} if name in found:
                found = found - {name} | {to}
    return frozenset(found)


def _without(cells: dict[str, Any] | None, stamped: frozenset[str]) -> dict[str, Any] | None:
    """Cleaned data whose moments of processing all say the same."""
    if cells is None or not stamped:
        return cells
    return {
        name: None if name in stamped and isinstance(cell, int | float) else cell
        for name, cell in cells.items()
    }


def _canonical(data: Any) -> bytes:
    if isinstance(data, dict) and all(isinstance(cell, str) for cell in data.values()):
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
