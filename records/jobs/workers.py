"""Names of workers, which tell their machine and process."""

import os
import secrets
import socket
from functools import cache
from pathlib import Path

# The last part of the name starts with this if the worker is not one of a queue.
ASIDE = "aside-"


def worker_name(*, of_queue: bool = True) -> str:
    """A name that no other worker has, on this or another machine.

    It tells the process, and whether that is a worker of a queue or a command or request.
    """
    kind = "" if of_queue else ASIDE
    process = f"{os.getpid()}.{_started(os.getpid()) or 0}"
    return f"{_machine()}:{process}:{kind}{secrets.token_hex(8)}"


def is_of_this_machine(worker: str) -> bool:
    return worker.startswith(f"{_machine()}:")


def process_of(worker: str) -> int | None:
    """The process of a worker of this machine; None if it has ended, or is on another machine."""
    if not is_of_this_machine(worker):
        return None
    pid, _, started = worker.split(":")[-2].partition(".")
    # Process ids are used again; the time of the start tells the processes apart.
    return int(pid) if _started(int(pid)) == int(started or 0) else None


def is_orphan(worker: str) -> bool:
    """Whether a worker is known to be gone: its process was on this machine and has ended."""
    return is_of_this_machine(worker) and process_of(worker) is None


@cache
def _machine() -> str:
    """This machine since it was booted: process ids mean nothing on another or after a restart."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        boot = ""
    return f"{socket.gethostname()[:40]}/{boot}"


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is no such process.

    Where the system does not tell (no /proc), 0 stands for any process that exists.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0 if not Path("/proc/self/stat").exists() and _exists(pid) else None
    # The name of the command, in parentheses, may hold spaces and parentheses (man 5 proc).
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] == b"Z" else int(fields[19])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it exists and belongs to another user
    return True
