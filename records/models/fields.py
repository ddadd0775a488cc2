"""Column types that Django does not provide."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    TextField = models.CharField[str, str]
else:
    TextField = models.CharField


class KeyField(TextField):
    """A text key compared byte by byte, so that a range of keys is a range of the index.

    On PostgreSQL the column takes collation "C". Spelling the type as ``character varying`` also
    keeps Django from adding its second index for LIKE, which collation "C" makes superfluous.
    SQLite compares text byte by byte as it is.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "postgresql":
            return f'character varying({self.max_length}) COLLATE "C"'
        return super().db_type(connection)

    def rel_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return self.db_type(connection)

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return self.db_type(connection)
