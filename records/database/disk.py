"""Whether an embedded installation has free disk space. PostgreSQL takes care of its own."""

import shutil

from django.conf import settings
from django.db import connection

# With less, SQLite can't write a transaction of a batch.
NEEDED_BYTES = 16 << 20


def is_full() -> bool:
    """Whether the disk of the embedded database is full.

    A full disk can't be noted in the database that lies on it, so it is looked at.
    """
    if connection.vendor != "sqlite":
        return False
    return shutil.disk_usage(settings.VAR_DIR).free < NEEDED_BYTES
