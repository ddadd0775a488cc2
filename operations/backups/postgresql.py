"""PostgreSQL: the copy is a dump in the custom format of pg_dump."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import Error, connection
from django.db.backends.postgresql.client import DatabaseClient

from operations.backups.databases import connected_to
from operations.backups.errors import BackupError
from records.database.moment import one_moment

MEMBER = "database.dump"
# What pg_restore says where it is newer than the server, after setting what that does not have.
HARMLESS = "unrecognized configuration parameter"
SAID_CHARACTERS = 400
# How long sessions may take to end.
WAIT_SECONDS = 20


@contextmanager
def copied(target: Path) -> Iterator[None]:
    """pg_dump reads the same snapshot as the block, at the same time."""
    with one_moment():
        with connection.cursor() as cursor:
            # It waits for pg_dump at the end.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        dump = _started(
            "pg_dump",
            ["--format=custom", "--no-owner", "--no-acl", "--no-comments"],
            [f"--snapshot={snapshot}", f"--file={target}"],
        )
        try:
            yield
        except BaseException:
            dump.kill()
            dump.wait()
            raise
        _finish("pg_dump", dump)


@contextmanager
def loaded(dump: Path) -> Iterator[str]:
    live = connection.settings_dict["NAME"]
    name = f"{live[:40]}_restore_{uuid4().hex[:8]}"
    _create(name)
    try:
        with connected_to(name):
            restoring = _started("pg_restore", ["--no-owner", "--no-acl"], [str(dump)])
        _finish("pg_restore", restoring)
        yield name
    finally:
        _execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def replace(scratch: str) -> None:
    """By their names, in one transaction, after the sessions of all others have been ended."""
    live = connection.settings_dict["NAME"]
    connection.close()
    former = f"{live[:40]}_former_{uuid4().hex[:8]}"
    _execute(f"ALTER DATABASE {_quoted(live)} ALLOW_CONNECTIONS false")
    try:
        _end_sessions(live)
        _execute(
            f"ALTER DATABASE {_quoted(live)} RENAME TO {_quoted(former)}; "
            f"ALTER DATABASE {_quoted(scratch)} RENAME TO {_quoted(live)}"
        )
    except BaseException:
        _execute(f"ALTER DATABASE {_quoted(live)} ALLOW_CONNECTIONS true")
        raise
    _execute(f"DROP DATABASE {_quoted(former)} WITH (FORCE)")


def _create(name: str) -> None:
    """A new database of the same locale, without what a template of the server may hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()"
        )
        collate, ctype = cursor.fetchone()
    try:
        _execute(
            f"CREATE DATABASE {_quoted(name)} TEMPLATE template0 ENCODING 'UTF8' "
            "LC_COLLATE %s LC_CTYPE %s",
            [collate, ctype],
        )
    except Error as error:
        if getattr(error.__cause__, "pgcode", None) != "42501":
            raise
        user = connection.settings_dict["USER"]
        raise BackupError(
            f"The database user {user!r} may not create databases, and a backup is first restored "
            f"into a scratch database. A superuser can allow it: ALTER ROLE {user} CREATEDB."
        ) from error


def _end_sessions(database: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, %s)) FROM pg_stat_activity WHERE datname = %s",
            [WAIT_SECONDS * 1000, database],
        )


def _execute(statement: str, parameters: Sequence[Any] | None = None) -> None:
    """Execute a statement from another database: a session keeps its own from being changed."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement, parameters)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _started(
    program: str, options: Sequence[str], arguments: Sequence[str]
) -> "subprocess.Popen[bytes]":
    """A client program that is connected like Django; its password is in its environment."""
    command, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    *server, database = command[1:]
    try:
        return subprocess.Popen(  # noqa: S603 (ours)
            [program, *options, *server, f"--dbname={database}", *arguments],
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise BackupError(
            f"{program} can't be run ({error.strerror}). Install the client programs of "
            "PostgreSQL, of the version of the server or a newer one."
        ) from error


def _finish(program: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait for a client program. Raises BackupError, with its words, if it fails."""
    _, said = process.communicate()
    if process.returncode == 0:
        return
    # A message begins with the name of the program; lines that explain it follow.
    messages = said.decode(errors="replace").split(f"{program}: error: ")[1:]
    serious = [" ".join(each.split()) for each in messages if HARMLESS not in each]
    if messages and not serious:
        return
    text = serious[0] if serious else f"exit status {process.returncode}"
    if "version mismatch" in text or "unsupported version" in text:
        raise BackupError(
            f"{program} is too old ({text}). Install the client programs of PostgreSQL, of the "
            "version of the server or a newer one."
        )
    raise BackupError(f"{program} failed: {text[:SAID_CHARACTERS]}")
