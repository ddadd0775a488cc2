"""Creates the secret key of an installation that has none set."""

import secrets
from pathlib import Path

from web.kept_secret import kept_secret


def embedded_secret_key(path: Path) -> str:
    """Read the key that the first start left in ``path``; make it if there is none.

    The key is kept, because the queue signs its tasks with it: tasks that were queued under
    another key are dropped without a word.
    """
    return kept_secret(path, lambda: secrets.token_urlsafe(50))
