"""Creates the secret key of an installation that has none set."""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def embedded_secret_key(path: Path) -> str:
    """Read the key that the first start left in ``path``; make it if there is none.

    The key is kept, because the queue signs its tasks with it: tasks that were queued under
    another key are dropped without a word.
    """
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The folder {path.parent} can't be used ({error.strerror}). "
            "Make it writable, or set DATAFLOW_VAR to another folder."
        ) from error


def _make(path: Path) -> None:
    # For its owner only: the database will lie here as well.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Of two processes that start at once, one sets its key in place, whole, and both read that.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="secret_key.")  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        path.hardlink_to(name)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
