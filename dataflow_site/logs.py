"""The format of the log."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any


def escape_control_chars(text: str) -> str:
    """The text with control characters, but for line ends, written as escapes."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode()
        for character in text
    )


class Line(logging.Formatter):
    """One line an entry, in which nothing that was sent to us can pass for another entry.

    A traceback follows where the fault is ours, and not for a request that was refused.
    """

    def format(self, record: logging.LogRecord) -> str:
        # A copy, as an entry remembers its traceback as another formatter wrote it.
        record = copy.copy(record)
        record.exc_text = None
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return escape_control_chars(super().formatMessage(record)).replace("\n", r"\n")

    def formatException(self, ei: Any) -> str:
        return escape_control_chars(super().formatException(ei))


# What every entry has; all else was given by who wrote it.
USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONLine(logging.Formatter):
    """One JSON object an entry: time, level, logger, message, and what it is about, such as the
    number of a run.

    A traceback is in it where the fault is ours, and not for a request that was refused.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {
            name: value
            for name, value in vars(record).items()
            if name not in USUAL and isinstance(value, str | int | float | bool)
        }
        if record.exc_info and getattr(record, "status_code", 500) >= 500:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)
