"""Makes a backup: one file, there as a whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from ingestion.loading import inputs
from operations.backups import databases, keys
from operations.backups.archive import Writer
from operations.backups.errors import BackupError
from operations.backups.manifest import Manifest, SourceState, read_contents
from operations.backups.staging import staging, sync
from operations.models import Backup
from web.control_chars import escape_control_chars

INPUTS = "inputs/"
SUFFIX = ".backup"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, and what its sources hold."""

    backup: Backup
    sources: Sequence[SourceState]


def path_in(folder: Path) -> Path:
    """The path of a new backup in a folder, named by the time."""
    return folder / f"dataflow-{timezone.now():%Y%m%dT%H%M%SZ}{SUFFIX}"


def create_backup(path: Path) -> Made:
    """Back up the database, the stored inputs and the keys as of one moment.

    Others go on with their work meanwhile. Raises BackupError; then there is no file.
    """
    started = timezone.now()
    backup = Backup(id=uuid4(), file=str(path.resolve()), started_at=started)
    try:
        sources = _create(path, backup.id.hex, started)
    except (BackupError, OSError) as error:
        backup.error = reason = _sentence(error, path)
        _keep(backup)
        raise BackupError(reason) from error
    backup.bytes = path.stat().st_size
    _keep(backup)
    return Made(backup, sources)


def delete_older(folder: Path, *, keep: int) -> list[Path]:
    """Delete all backups that `path_in` has named in a folder but the newest ones."""
    found = sorted(folder.glob(f"dataflow-????????T??????Z{SUFFIX}"))
    for path in found[:-keep]:
        path.unlink()
    return found[:-keep]


def _create(path: Path, backup_id: str, started: datetime) -> Sequence[SourceState]:
    if path.exists():
        raise BackupError(f"{path} exists already. Choose another name.")
    with staging(path.parent) as folder:
        part, copy = folder / "backup", folder / "database"
        database = databases.of_this_installation()
        with database.copied(copy):
            contents = read_contents()
        with part.open("xb") as file:
            part.chmod(0o600)
            writer = Writer(file)
            writer.add_file(database.MEMBER, copy)
            copy.unlink()
            # After the database: the input of each run that it knows is there.
            for name, each in sorted(inputs.stored().items()):
                try:
                    writer.add_file(INPUTS + name, each)
                except FileNotFoundError:
                    continue  # its run was discarded meanwhile
            writer.add_bytes(keys.MEMBER, keys.keys_of_this_installation().to_json())
            writer.finish(
                Manifest(
                    id=backup_id,
                    version=settings.VERSION,
                    created_at=started.isoformat(),
                    database=databases.kind(),
                    inputs=str(settings.INPUT_DIR.resolve()),
                    contents=contents,
                    members=dict(writer.members),
                )
            )
        sync(part)
        part.replace(path)
    sync(path.parent)
    return contents.sources


def _keep(backup: Backup) -> None:
    backup.finished_at = timezone.now()
    if Backup.objects.is_there():
        backup.save(force_insert=True)


def _sentence(error: BackupError | OSError, path: Path) -> str:
    if isinstance(error, BackupError):
        return str(error)
    return f"{escape_control_chars(str(path))} can't be written: {error.strerror or error}."
