"""Secrets that an installation makes for itself, each in a file that only its owner can read."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read the secret that an earlier start left in ``path``; ``make`` it if there is none.

    Raises ImproperlyConfigured if the folder can't be used.
    """
    try:
        if not path.exists():
            _keep(path, make())
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The folder {path.parent} can't be used ({error.strerror}). "
            "Make it writable, or set DATAFLOW_VAR to another folder."
        ) from error


def _keep(path: Path, secret: str) -> None:
    # For its owner only: the database will lie here as well.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Of two processes that start at once, one sets its secret in place, whole, and both read that.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    try:
        path.hardlink_to(name)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
