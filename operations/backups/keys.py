"""The keys that stored secrets and receipts hang on."""

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from django.conf import settings

from operations.backups.errors import BackupError

MEMBER = "keys.json"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an installation, by the variables that they are set with; "" for none."""

    SECRET_KEY: str
    DATAFLOW_RECEIPT_KEY: str

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))


def keys_of_this_installation() -> Keys:
    return Keys(settings.SECRET_KEY, settings.RECEIPT_KEY or _text(settings.RECEIPT_KEY_FILE))


def read_keys(text: bytes) -> Keys:
    return Keys(**orjson.loads(text))


def check(keys: Keys) -> None:
    """Raises BackupError where the environment sets another key, which a file can't replace."""
    for name, own in _own().items():
        wanted = getattr(keys, name)
        if own.is_set and wanted and wanted != own.value:
            raise BackupError(
                f"The backup was made with another {name}: what that has encrypted or signed could "
                f"not be read. Set {name} to the one in {MEMBER} of the backup, or do not set it."
            )


def take_over(keys: Keys) -> None:
    """Keep the keys, where the environment does not set them."""
    for name, own in _own().items():
        wanted = getattr(keys, name)
        if wanted and not own.is_set and wanted != own.value:
            _write(own.path, wanted)


@dataclass(frozen=True, slots=True)
class _Own:
    value: str
    path: Path

    @property
    def is_set(self) -> bool:
        """Whether it comes from the environment rather than from its file."""
        return bool(self.value) and self.value != _text(self.path)


def _own() -> dict[str, _Own]:
    keys = asdict(keys_of_this_installation())
    paths = {
        "SECRET_KEY": settings.SECRET_KEY_FILE,
        "DATAFLOW_RECEIPT_KEY": settings.RECEIPT_KEY_FILE,
    }
    return {name: _Own(value, paths[name]) for name, value in keys.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _write(path: Path, secret: str) -> None:
    """Replace a file, which only its owner can read, as a whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
