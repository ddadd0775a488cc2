"""Restores a backup, or proves that it can be restored.

Nothing of the installation is touched before every member was checked, and the database was made
again beside the old one and found to hold what it should.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.audit.entries import record
from accounts.audit_actions import Action
from explore.columns import segments
from ingestion.loading import inputs
from operations.backups import databases, keys
from operations.backups.archive import Archive, opened
from operations.backups.create import INPUTS
from operations.backups.errors import BackupError
from operations.backups.manifest import Manifest, SourceState, differences, read_contents
from operations.backups.staging import staging
from operations.models import Backup
from records.jobs.leases import release_all
from records.models import ColumnSegment, Source

SAID_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup held, which was compared with what was restored."""

    version: str
    created_at: datetime
    bytes: int
    sources: Sequence[SourceState]


def verify_backup(path: Path) -> Restored:
    """Restore a backup into a scratch database, and compare that with its manifest.

    The installation is not touched. Raises BackupError for all that a restore would.
    """
    with opened(path) as archive:
        manifest = archive.manifest
        try:
            _check_can_be_used(manifest)
            for name in manifest.members:
                archive.check(name)
            with _scratch(archive):
                pass
        except BackupError as error:
            _note_verified(manifest, str(error))
            raise
        _note_verified(manifest, "")
        return _restored(path, manifest)


def restore_backup(path: Path, *, overwrite: bool = False) -> Restored:
    """Make this installation what a backup says that it was. Raises BackupError; then nothing has
    changed.

    With ``overwrite`` also if it holds something, which is lost.
    """
    with opened(path) as archive:
        manifest = archive.manifest
        _check_can_be_used(manifest)
        if not overwrite:
            _check_is_empty()
        kept_keys = keys.read_keys(archive.read(keys.MEMBER))
        keys.check(kept_keys)
        settings.INPUT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staging(settings.INPUT_DIR) as folder:
            extracted = _extract_inputs(archive, folder)
            with _scratch(archive) as scratch:
                with databases.connected_to(scratch):
                    _migrate()
                    _adopt(manifest, path)
                added = _place(extracted)
                try:
                    databases.of_this_installation().replace(scratch)
                except BaseException:
                    for each in added:
                        each.unlink()
                    raise
            keys.take_over(kept_keys)
            _forget_inputs(set(extracted))
        return _restored(path, manifest)


def _restored(path: Path, manifest: Manifest) -> Restored:
    made = datetime.fromisoformat(manifest.created_at)
    return Restored(manifest.version, made, path.stat().st_size, manifest.contents.sources)


def _check_is_empty() -> None:
    """Raises BackupError if this installation holds something that a restore would replace."""
    tables = connection.introspection.table_names()
    if Source._meta.db_table not in tables:
        return
    sources, people = Source.everything.count(), get_user_model().objects.count()
    if sources or people:
        raise BackupError(
            f"This installation holds data (sources: {sources:,}, accounts: {people:,}). To "
            "replace it by the backup, use --overwrite; it is then lost."
        )


@contextmanager
def _scratch(archive: Archive) -> Iterator[Any]:
    """A scratch database that holds exactly what the manifest says."""
    manifest = archive.manifest
    database = databases.of_this_installation()
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        dump = Path(folder) / "database"
        archive.extract(database.MEMBER, dump)
        with database.loaded(dump) as scratch:
            with databases.connected_to(scratch):
                found = differences(manifest.contents, read_contents())
            if found:
                said = " ".join(found[:SAID_DIFFERENCES])
                raise BackupError(f"What was restored is not what the backup should hold. {said}")
            yield scratch


def _check_can_be_used(manifest: Manifest) -> None:
    own = databases.kind()
    if manifest.database != own:
        raise BackupError(
            f"The backup is of the database {manifest.database}, but this installation uses {own}. "
            "Set DATABASE_URL to a database of that kind."
        )
    known = MigrationLoader(None).disk_migrations
    applied = [tuple(each.split(".", 1)) for each in manifest.contents.migrations]
    unknown = [f"{app}.{name}" for app, name in applied if (app, name) not in known]
    if unknown:
        raise BackupError(
            f"The backup was made by version {manifest.version}, of which this version "
            f"{settings.VERSION} lacks {len(unknown):,} migrations ({unknown[0]}). Install that "
            "version or a newer one."
        )


def _extract_inputs(archive: Archive, folder: Path) -> dict[str, Path]:
    """The stored inputs of the backup in a folder, by their paths in the folder of inputs."""
    found: dict[str, Path] = {}
    for member in archive.manifest.members:
        if not member.startswith(INPUTS):
            continue
        name = member.removeprefix(INPUTS)
        start, _, digest = name.partition("/")
        if not inputs.is_whole(digest) or digest[:2] != start:
            raise BackupError(f"{archive.path} is damaged: {member!r} is no name of an input.")
        found[name] = folder / digest
        archive.extract(member, found[name])
        found[name].chmod(settings.FILE_UPLOAD_PERMISSIONS)
    return found


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def _adopt(manifest: Manifest, path: Path) -> None:
    """Make the restored database that of this installation."""
    inputs.relocate(Path(manifest.inputs), settings.INPUT_DIR.resolve())
    release_all()
    # Segments are named by their digests, so those whose files are here are whole; workers make
    # the others again.
    current = ColumnSegment.objects.filter(replaced_at=None)
    segments.note_damaged(each for each in current if not segments.is_whole(each))
    record(Action.BACKUP_RESTORED, kind="backup", object_id=manifest.id, label=path.name)


def _place(extracted: dict[str, Path]) -> list[Path]:
    """Move inputs to where runs look for them; those that were not there before."""
    added: list[Path] = []
    for name, path in extracted.items():
        target = settings.INPUT_DIR / name
        if not target.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            added.append(target)
            shutil.move(path, target)
    return added


def _forget_inputs(known: set[str]) -> None:
    """Remove the inputs that belong to no run any more."""
    for name, path in inputs.stored().items():
        if name not in known:
            path.unlink(missing_ok=True)


def _note_verified(manifest: Manifest, error: str) -> None:
    """Note it, where this installation has made the backup."""
    if Backup.objects.is_there():
        found = Backup.objects.filter(pk=manifest.id)
        found.update(verified_at=timezone.now(), verify_error=error)
