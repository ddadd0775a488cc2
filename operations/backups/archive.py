"""The file of a backup: a tar whose last member is the manifest, with a digest of each other one.

A file that was cut short has no manifest.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from operations.backups.errors import BackupError
from operations.backups.manifest import Manifest, Member, read_manifest

MANIFEST = "manifest.json"
CHUNK = 1 << 20


class _Digesting(io.RawIOBase):
    """Reads a file, and digests what is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.sha.update(piece)
        return piece


class Writer:
    """Writes the members of a backup one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.members: dict[str, Member] = {}

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._add(name, file, path.stat().st_size)

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, io.BytesIO(content), len(content))

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, behind which nothing comes."""
        self.add_bytes(MANIFEST, manifest.to_json())
        self._tar.close()

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        read = _Digesting(file)
        self._tar.addfile(info, read)
        self.members[name] = Member(size, read.sha.hexdigest())


class Archive:
    """A backup that is read."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar
        self._infos = {info.name: info for info in tar if info.isfile()}
        self.manifest = read_manifest(self._manifest_text())
        if self.manifest.members.keys() != self._infos.keys() - {MANIFEST}:
            raise BackupError(f"{path} is damaged: its members are not those of its manifest.")

    def read(self, name: str) -> bytes:
        """A small member. Raises BackupError if it is damaged."""
        return b"".join(self._chunks(name))

    def extract(self, name: str, target: Path) -> None:
        """Write a member to a file. Raises BackupError if it is damaged."""
        with target.open("xb") as file:
            for chunk in self._chunks(name):
                file.write(chunk)

    def check(self, name: str) -> None:
        """Raises BackupError if a member is damaged."""
        for _ in self._chunks(name):
            pass

    def _chunks(self, name: str) -> Iterator[bytes]:
        if name not in self._infos:
            raise BackupError(f"{self.path} has no member {name}.")
        file = self._tar.extractfile(self._infos[name])
        assert file is not None  # it is a file  # noqa: S101
        sha = hashlib.sha256()
        try:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
                yield chunk
        except (tarfile.TarError, EOFError) as error:
            raise BackupError(f"{self.path} is damaged in {name}.") from error
        if sha.hexdigest() != self.manifest.members[name].sha256:
            raise BackupError(f"{self.path} is damaged in {name}: its digest is another one.")

    def _manifest_text(self) -> bytes:
        info = self._infos.get(MANIFEST)
        file = self._tar.extractfile(info) if info else None
        if file is None:
            raise BackupError(f"{self.path} is not complete: it has no {MANIFEST}.")
        return file.read()


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open a backup. Raises BackupError if it is none, or not complete."""
    try:
        with path.open("rb") as file:
            try:
                tar = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 (it ends with the file)
                archive = Archive(path, tar)
            except (tarfile.TarError, EOFError) as error:
                raise BackupError(f"{path} is not a backup, or it is damaged: {error}.") from error
            yield archive
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except (PermissionError, IsADirectoryError) as error:
        raise BackupError(f"{path} can't be read: {error.strerror}.") from error
