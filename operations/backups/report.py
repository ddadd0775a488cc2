"""What the commands print of a backup: for people, or as one JSON object a line."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.core.management.base import CommandError

from operations.backups.errors import BackupError
from operations.backups.manifest import SourceState
from web.control_chars import escape_control_chars
from web.numbers import duration, size


class Output(Protocol):
    def write(self, text: str) -> Any: ...


class Report:
    """Prints what has become of a backup."""

    def __init__(self, output: Output, *, is_json: bool) -> None:
        self._output = output
        self._is_json = is_json

    @contextmanager
    def failing(self, path: Path) -> Iterator[None]:
        """Tell why it can't be done, and end the command."""
        try:
            yield
        except BackupError as error:
            if self._is_json:
                self._print({"state": "failed", "file": str(path), "error": str(error)})
            raise CommandError(escape_control_chars(str(error))) from error

    def done(
        self, state: str, path: Path, count: int, seconds: float, sources: Sequence[SourceState]
    ) -> None:
        if self._is_json:
            self._print(
                {
                    "state": state,
                    "file": str(path),
                    "bytes": count,
                    "seconds": round(seconds, 3),
                    "sources": [
                        {"source": each.source, "records": each.records, "digest": each.digest}
                        for each in sources
                    ],
                }
            )
            return
        records = sum(each.records for each in sources)
        self._output.write(
            f"{state.capitalize()}: {escape_control_chars(str(path))}, {size(count)} with "
            f"{records:,} records (sources: {len(sources):,}), in {duration(seconds)}."
        )

    def deleted(self, path: Path) -> None:
        if self._is_json:
            self._print({"state": "deleted", "file": str(path)})
        else:
            self._output.write(f"Deleted: {escape_control_chars(str(path))}")

    def _print(self, found: dict[str, Any]) -> None:
        self._output.write(json.dumps(found, ensure_ascii=False))
