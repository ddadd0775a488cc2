"""What a source and a run of it hold in the end, asked from outside."""

import hashlib
from dataclasses import dataclass
from typing import Any

from records.no_day import NO_DAY
from tests.installation import Installation

LEDGER = "read, created, updated, unchanged, rejected"
FOUND = "state, error, bytes_read, size, sha256, encoding, dialect, columns, mapping, notes"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that must not depend on how a run came to its end."""

    digest: str
    ledger: tuple[int, ...]
    found: tuple[Any, ...]
    remembered: tuple[Any, ...]
    rejected: list[tuple[Any, ...]]
    counted: list[tuple[Any, ...]]
    # Of all rows: records with line, version, time, status and run; versions; results.
    records: str
    versions: str
    results: str


def outcome(installation: Installation, source: str, run: int) -> Outcome:
    """What a run left behind; the counters are exact, or this fails."""
    rows = installation.rows
    counted = counters(installation, source)
    assert counted == recounted(installation, source)
    within = f"record_id >= '{source}:' AND record_id < '{source};'"
    return Outcome(
        digest=installation.manage("digest", "--source", source).strip(),
        ledger=rows(f"SELECT {LEDGER} FROM ingestion_runs WHERE id = {run}")[0],
        found=rows(f"SELECT {FOUND} FROM ingestion_runs WHERE id = {run}")[0],
        remembered=rows(f"SELECT mapping, columns FROM sources WHERE name = '{source}'")[0],
        rejected=[
            (*row, bytes(raw))
            for *row, raw in rows(
                'SELECT line, code, "column", message, raw FROM rejected_rows '
                f"WHERE run_id = {run} ORDER BY line, id"
            )
        ],
        counted=counted,
        records=_all(
            installation,
            "SELECT id, line, version, timestamp, status, run_id FROM data_records "
            f"WHERE source = '{source}' ORDER BY id",
        ),
        versions=_all(
            installation,
            "SELECT record_id, version, timestamp, run_id, line, reason, replaced_by_run_id "
            f"FROM record_versions WHERE {within} ORDER BY record_id, version, id",
        ),
        results=_all(
            installation,
            "SELECT record_id, current, success FROM processing_results "
            f"WHERE {within} ORDER BY record_id, id",
        ),
    )


def _all(installation: Installation, sql: str) -> str:
    """How many rows there are, and a digest of them in their order."""
    found = installation.rows(sql)
    digest = hashlib.sha256()
    for row in found:
        digest.update(repr(row).encode())
    return f"{len(found)} rows: {digest.hexdigest()}"


def counters(installation: Installation, source: str) -> list[tuple[Any, ...]]:
    """Day, status and number of a source's records, as the counters have them."""
    return [
        (str(day), status, count)
        for day, status, count in installation.rows(
            "SELECT day, status, count FROM record_counts "
            f"WHERE source = '{source}' AND count <> 0 ORDER BY day, status"
        )
    ]


def recounted(installation: Installation, source: str) -> list[tuple[Any, ...]]:
    """The same, counted one by one."""
    in_utc = "(timestamp AT TIME ZONE 'UTC')::date" if installation.database_url else None
    day = in_utc or "date(timestamp)"
    return [
        # NO_DAY stands for records without a time.
        (str(day or NO_DAY), status, count)
        for day, status, count in installation.rows(
            f"SELECT COALESCE({day}, '{NO_DAY}') AS day, status, COUNT(*) FROM data_records "
            f"WHERE source = '{source}' GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ]
