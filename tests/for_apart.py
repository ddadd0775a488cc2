"""What tests have carried out in a process of its own."""

import os
import tempfile
import time
from pathlib import Path


def answer(*, value: object) -> object:
    return value


def number() -> int:
    return os.getpid()


def sleep(*, long: float) -> float:
    (Path(tempfile.mkdtemp()) / "left-behind").write_text("a file")
    time.sleep(long)
    return long


def spin() -> None:
    while True:
        pass


def fill(*, size: int) -> int:
    return len(bytearray(size))


def fail() -> None:
    raise RecursionError("too deep")


def die() -> None:
    os._exit(3)
