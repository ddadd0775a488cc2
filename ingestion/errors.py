"""The errors of ingestion; ``str()`` of each is a sentence for the user."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingestion.parsing.timestamps.search import Doubt
from records.errors import EnvironmentFault
from records.number_decision import FORMATS
from records.number_decision import Doubt as NumberDoubt

# The error codes of the system for a disk that takes no more data.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class IngestionError(Exception):
    """Base of this app's errors: the input as a whole can't be imported."""


class UnreadableInput(IngestionError):
    """The input can't be opened, or can't be read as rows."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(f"{name} can't be read: {reason}")


class InputAway(EnvironmentFault, UnreadableInput):
    """The input is missing, or can't be opened at the moment."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(name, f"{error.strerror or error}.")


class InputTooLarge(UnreadableInput):
    """The input exceeds a limit; see ``ingestion.parsing.limits``."""

    def __init__(self, name: str, what: str, most: int | str, advice: str) -> None:
        """``what`` completes a sentence that starts with "it has"; ``advice`` says what to do."""
        limit = f"{most:,}" if isinstance(most, int) else most
        super().__init__(name, f"it has {what}, and the limit is {limit}. {advice}")


class InvalidReading(IngestionError):
    """A parsing option has a value that is not valid."""

    def __init__(self, what: str, value: str, reason: str) -> None:
        self.what = what
        super().__init__(f"{value!r} is not a valid {what.replace('_', ' ')}: {reason}.")


class NotReady(IngestionError):
    """A draft that can't be imported yet; ``str()`` says what has to be chosen first."""


class NoRoom(EnvironmentFault, IngestionError):
    """The input can't be stored."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} can't be stored: {reason}. Nothing was imported; free some disk space and try "
            "again."
        )


class NoRoomToRead(NoRoom):
    """The input has to be unpacked or copied to be read, and the disk is full."""

    def __init__(self, name: str, reason: str) -> None:
        IngestionError.__init__(
            self,
            f"{name} can't be read: there is not enough disk space to unpack it ({reason}). Free "
            "some space and try again.",
        )


@contextmanager
def room_to_read(name: str) -> Iterator[None]:
    """For writing what is unpacked from the input. Raises NoRoomToRead if the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoRoomToRead(name, error.strerror or "full") from error
        raise


class MissingColumns(IngestionError):
    """The column mapping names columns that the input does not have."""

    def __init__(self, missing: Sequence[tuple[str, str]], columns: Sequence[str]) -> None:
        self.missing = missing
        named = ", ".join(f"{column!r} ({role})" for role, column in missing)
        super().__init__(
            f"The input has no column {named}. Its columns are: {', '.join(map(repr, columns))}. "
            "Choose other columns, or import it into another source."
        )


class AmbiguousDates(IngestionError):
    """Dates that two formats read differently, and nobody has chosen one."""

    def __init__(self, columns: Sequence[str], doubt: Doubt) -> None:
        self.columns = columns
        self.doubt = doubt
        (best, first), (rival, second) = doubt.readings
        text = repr(doubt.text.strip()[:100])
        if not doubt.is_misfit:
            problem = (
                f"are ambiguous: {text} is {first} as {best}, but {second} as {rival}, and no "
                "other row settles it."
            )
        elif rival == best:
            problem = f"don't fit the date format of the source, {best}: {text} is no such date."
        else:
            problem = (
                f"don't fit the date format of the source, {best}: {text} is no such date, but "
                f"{second} as {rival}."
            )
        super().__init__(
            f"The dates in {' and '.join(map(repr, columns))} {problem} "
            "Nothing was imported. Choose a date format and import the file again: "
            f"--timestamp-format '{rival}' on the command line, timestamp_format in the API, or "
            "Date format in the source settings."
        )


class AmbiguousNumbers(IngestionError):
    """Numbers that two formats read differently, and nobody has chosen one."""

    def __init__(self, column: str, doubt: NumberDoubt) -> None:
        self.column = column
        self.doubt = doubt
        (best, first), (rival, second) = doubt.readings
        super().__init__(
            f"The numbers in {column!r} are ambiguous: {doubt.text!r} is {first} as {best}, but "
            f"{second} as {rival}, and no other row settles it. Nothing was imported. Choose a "
            f"number format and import the file again: --number-format '{rival}' on the command "
            "line, number_format in the API, or Number format in the source settings."
        )


class InvalidNumberFormat(IngestionError):
    """A number format that is not valid."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:100]!r} is not a valid number format: use one of {', '.join(FORMATS)}."
        )


class InvalidDateFormat(IngestionError):
    """A date format that is not valid."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:100]!r} is not a valid date format: use iso, unix or a pattern such as "
            "%d.%m.%Y, or %m/%d/%Y %H:%M with the time of day."
        )


class InvalidTimeZone(IngestionError):
    """A time zone that is not valid."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:100]!r} is not a time zone: use a name such as Europe/Vienna, or an offset "
            "such as +01:00."
        )


class InvalidSourceName(IngestionError):
    """A source name that is not valid."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is not a valid source name: use at most 100 letters, digits, '_', '-' and "
            "'.', and start with a letter or a digit."
        )


class InvalidLimit(IngestionError):
    """A reject limit that is not valid."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a valid reject limit: use a number or a percentage such as 2%."
        )


class TooManyRejects(IngestionError):
    """More rows were rejected than the reject limit allows."""

    def __init__(self, rejected: int, read: int, limit: str) -> None:
        super().__init__(
            f"Stopped: {rejected:,} of {read:,} rows were rejected, and the limit is {limit}. Rows "
            "imported so far are kept. Check the reasons, then import again or undo the run."
        )


class InputChanged(IngestionError):
    """The input of an unfinished run is no longer what it was when the run began."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(
            f"{name} has changed since this run read it up to row {line}. Rows imported so far are "
            "kept; import the file again to add the rest."
        )


class ChangedWhileRead(IngestionError):
    """An input that changed while it was being read."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was changed while it was read. Import it again when nothing is writing to it. "
            "Rows already imported are kept; undo the run to remove them."
        )


class CannotUndo(IngestionError):
    """A run that can't be undone now."""

    def __init__(self, run: object, reason: str) -> None:
        super().__init__(f"{run} can't be undone: {reason}.")


class CannotRekey(IngestionError):
    """Records that can't be given a new key."""

    def __init__(self, source: object, reason: str) -> None:
        super().__init__(f"The records of {source} can't be given this key. {reason}")


class CannotReplay(IngestionError):
    """A run whose rejected rows can't be replayed now."""

    def __init__(self, run: object, reason: str) -> None:
        super().__init__(f"{run} can't be replayed: {reason}.")


class InvalidItems(IngestionError):
    """A body that does not hold items."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The body can't be read: {reason}. Nothing was imported.")


class TooManyItems(IngestionError):
    """A body with more items than a request may have."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"The body has more than {most:,} items. Send them in several requests, or as a file "
            "to the endpoint `ingest`."
        )


class KeyReused(IngestionError):
    """An idempotency key that came with another request before."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} was used for a different request. Use a new key."
        )


class SourceBusy(EnvironmentFault, IngestionError):
    """A source that takes no events at the moment."""

    def __init__(self, source: str) -> None:
        super().__init__(f"The records of {source} are being given another key. Try again later.")


class TooManyWaiting(IngestionError):
    """More events wait to be saved than the server holds at a time."""

    def __init__(self) -> None:
        super().__init__("Too many events are waiting to be saved. Try again later.")


class OtherSource(IngestionError):
    """A file of fixed rejected rows that belongs to another source."""

    def __init__(self, name: str, run: int, source: str | None) -> None:
        where = f"source {source!r}: import it there" if source else "a source that does not exist"
        super().__init__(
            f"{name} contains rejected rows of run {run}, which belongs to {where}. To import the "
            "file anywhere else, remove its columns for line and reason."
        )


class RowError(Exception):
    """One row can't become a record; the rows around it can."""

    def __init__(self, code: str, message: str, column: str = "") -> None:
        self.code = code
        self.message = message
        self.column = column
        # Of the record that it would be, where its key can be read.
        self.id = ""
        super().__init__(message)
