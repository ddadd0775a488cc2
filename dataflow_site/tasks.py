"""The task that shows that a cluster carries out tasks."""

from records import runs


def beat(queue: str) -> None:
    runs.beat(queue)
