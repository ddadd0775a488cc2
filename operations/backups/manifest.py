"""What a backup says of itself, and what a database holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from operations.backups.errors import BackupError
from records.digests import digest_of, digest_of_results
from records.models import Source

# Raised when an older version could not restore what is written now.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SourceState:
    """What a source holds: records that are not closed, and their current results."""

    source: str
    records: int
    digest: str
    results: int
    results_digest: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, as of one moment."""

    migrations: list[str]
    sources: list[SourceState]
    # Rows by table.
    tables: dict[str, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    id: str
    version: str
    created_at: str
    # The kind of database: see `databases`.
    database: str
    # The folder of stored inputs, which runs name.
    inputs: str
    contents: Contents
    members: dict[str, Member]

    def to_json(self) -> bytes:
        return orjson.dumps({"format": FORMAT, **asdict(self)}, option=orjson.OPT_INDENT_2)


def read_manifest(text: bytes) -> Manifest:
    """Raises BackupError for the manifest of a newer format, or none."""
    try:
        found = orjson.loads(text)
        is_newer = found["format"] > FORMAT
        version = found["version"]
        if not is_newer:
            return _manifest(found)
    except (ValueError, TypeError, KeyError) as error:
        raise BackupError("The manifest of the backup can't be read.") from error
    raise BackupError(
        f"The backup was made by the newer version {version}, whose format this version does not "
        "know. Install that version."
    )


def _manifest(found: Mapping[str, Any]) -> Manifest:
    contents = found["contents"]
    return Manifest(
        id=found["id"],
        version=found["version"],
        created_at=found["created_at"],
        database=found["database"],
        inputs=found["inputs"],
        contents=Contents(
            contents["migrations"],
            [SourceState(**each) for each in contents["sources"]],
            contents["tables"],
        ),
        members={name: Member(**each) for name, each in found["members"].items()},
    )


def read_contents() -> Contents:
    """What the database holds. It is read once, in flat memory."""
    applied = MigrationRecorder(connection).applied_migrations()
    sources = Source.everything.order_by("name").values_list("name", flat=True)
    return Contents(
        migrations=sorted(f"{app}.{name}" for app, name in applied),
        sources=[_state(name) for name in sources],
        tables={name: _count(name) for name in sorted(connection.introspection.table_names())},
    )


def _state(source: str) -> SourceState:
    records, results = digest_of(source), digest_of_results(source)
    return SourceState(source, records.records, records.digest, results.records, results.digest)


def _count(table: str) -> int:
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 (quoted)
        return int(cursor.fetchone()[0])


def differences(expected: Contents, found: Contents) -> list[str]:
    """In what a database differs from what it should hold, as sentences."""
    sources = {each.source: each for each in found.sources}
    said = [
        f"Source {each.source!r} has {other.records:,} records instead of {each.records:,}."
        if (other := sources[each.source]).records != each.records
        else f"Records or results of source {each.source!r} have another digest."
        for each in expected.sources
        if each.source in sources and sources[each.source] != each
    ]
    said += [
        f"Source {each.source!r} is missing."
        for each in expected.sources
        if each.source not in sources
    ]
    said += [
        f"Table {name} has {found.tables.get(name, 0):,} rows instead of {rows:,}."
        for name, rows in expected.tables.items()
        if found.tables.get(name) != rows
    ]
    return said
