"""How either kind of database is copied into a file, made again from it, and replaced.

Of each kind there are three functions. ``copied`` writes a copy of one moment; while its block
lasts, the database is read as of that moment. ``loaded`` makes a scratch database of the copy, and
gives its name. ``replace`` puts a scratch database in the place of the installation's, at once and
as a whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from records.database import bulk


def kind() -> str:
    return "postgresql" if bulk.is_postgresql() else "sqlite"


def of_this_installation() -> ModuleType:
    """The functions for the kind of database that is used."""
    from operations.backups import postgresql, sqlite

    return postgresql if bulk.is_postgresql() else sqlite


@contextmanager
def connected_to(name: str | Path) -> Iterator[None]:
    """Use another database of the same server, or another file, while the block lasts."""
    before = connection.settings_dict["NAME"]
    _connect(name)
    try:
        yield
    finally:
        _connect(before)


def _connect(name: str | Path) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    # They have other ids there.
    ContentType.objects.clear_cache()
