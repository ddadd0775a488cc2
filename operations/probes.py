"""What an orchestrator asks: whether the process lives, and whether it can serve."""

import logging
import tempfile

from django.conf import settings
from django.db import Error, connection

from explore.health import OK, Migrations

log = logging.getLogger(__name__)


def readiness() -> dict[str, str]:
    """The state of each part that a request needs: "ok", or what is wrong with it."""
    parts = {"database": "not responding", "migrations": "unknown", "storage": _storage()}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        parts["database"] = OK
        parts["migrations"] = OK if Migrations.are_applied() else "pending"
    except Error:
        log.exception("The database is not responding.")
    return parts


def _storage() -> str:
    """Whether an input could be stored."""
    try:
        settings.INPUT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.INPUT_DIR) as file:
            file.write(b"x")
    except OSError:
        log.exception("Nothing can be written to %s.", settings.INPUT_DIR)
        return "not writable"
    return OK
