"""The secret key of an installation that was given none."""

import os
import secrets
from pathlib import Path


def embedded_secret_key(path: Path) -> str:
    """Read the key that the first start left in ``path``; make it if there is none.

    The key is kept, because the queue signs its tasks with it: tasks that were queued under
    another key are dropped without a word.
    """
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(50)
    try:
        # Of two processes that start at once, one makes the file and both read it.
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(key)
    except FileExistsError:
        return path.read_text()
    return key
