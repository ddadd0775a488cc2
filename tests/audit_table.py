"""The table of the audit log, in the database of the tests."""

from django.db import connection


def let_be_emptied() -> None:
    """Let the table be emptied between tests; to be called after the migration that makes it.

    On SQLite tables are emptied by DELETE, which the audit log refuses.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS audit_entries_no_delete")
