"""The chain of digests, by which a change, a cut or a gap in the audit log shows.

Pure but for its type: the same functions digest a new entry and check a stored one.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What stands for the digest before the first entry.
START = "0" * 64

# What is digested of an entry, besides the digest before it.
FIELDS = (
    "number", "at", "by", "user_id", "user_name", "token", "address", "action", "object_kind",
    "object_id", "object_label", "source", "before", "after", "request_id", "request",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a log has found: how many entries are intact from the beginning, the digest
    of the last of these, and what is wrong with the next one ("" if there is none)."""

    entries: int
    head: str
    problem: str
    has_expected: bool


def canonical(value: Any) -> str:
    """JSON that is the same for the same value, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(entry: Any, previous: str) -> str:
    """The digest of an entry whose predecessor has the digest ``previous``, as hexadecimal."""
    content = {name: _plain(getattr(entry, name)) for name in FIELDS}
    return hashlib.sha256(f"{previous}\n{canonical(content)}".encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if value is None or isinstance(value, int) else str(value)


def check(entries: Iterable[Any], *, expected: str = "") -> Checked:
    """Check entries in the order of their numbers; it ends at the first that is not intact.

    ``expected`` is a digest that some entry has to have, as one that was the last.
    """
    head, count = START, 0
    has_expected = expected in ("", START)
    for entry in entries:
        if entry.number != count + 1:
            problem = f"Entry {count + 1} is missing: the next one is entry {entry.number}."
            return Checked(count, head, problem, has_expected)
        if entry.digest != digest_of(entry, head):
            problem = (
                f"Entry {entry.number} of {entry.at.isoformat()} ({entry.action}) was changed: its "
                "digest does not fit its content and the entry before."
            )
            return Checked(count, head, problem, has_expected)
        head, count = entry.digest, entry.number
        has_expected = has_expected or head == expected
    return Checked(count, head, "", has_expected)
