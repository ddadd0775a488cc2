"""What can go wrong on the way from bytes to records; ``str()`` is a sentence for the user."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingestion.parsing.timestamps import Doubt
from records.errors import EnvironmentFault

# What the system says where nothing more can be written.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class IngestionError(Exception):
    """Base of this app's errors: the input as a whole can't be taken."""


class UnreadableInput(IngestionError):
    """The input can't be opened, or is not what can be read as rows."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(f"{name} can't be read: {reason}")


class InputAway(EnvironmentFault, UnreadableInput):
    """The input is not where it was, or can't be opened at the moment."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(name, f"{error.strerror or error}.")


class InputTooLarge(UnreadableInput):
    """The input has more of something than any input may have; see ``ingestion.parsing.limits``."""

    def __init__(self, name: str, what: str, most: int | str, advice: str) -> None:
        """``what`` goes on where "it has" ends; ``advice`` is a sentence on what to do."""
        limit = f"{most:,}" if isinstance(most, int) else most
        super().__init__(name, f"it has {what}, and the limit is {limit}. {advice}")


class InvalidReading(IngestionError):
    """What a user said about how to read an input can't be."""

    def __init__(self, what: str, value: str, reason: str) -> None:
        self.what = what
        super().__init__(f"{what.replace('_', ' ').capitalize()} can't be {value!r}: {reason}.")


class NotReady(IngestionError):
    """A draft that can't be loaded as it stands; ``str()`` says what is to be chosen."""


class NoRoom(EnvironmentFault, IngestionError):
    """The input can't be kept."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} can't be kept here: {reason}. Nothing of it has landed; try again when there "
            "is room for it."
        )


class NoRoomToRead(NoRoom):
    """The input has to be unpacked or copied to be read, and there is no room for that."""

    def __init__(self, name: str, reason: str) -> None:
        IngestionError.__init__(
            self,
            f"{name} can't be read: there is no room on the disk to unpack it ({reason}). Make "
            "room, and try again.",
        )


@contextmanager
def room_to_read(name: str) -> Iterator[None]:
    """What is written inside is made of that input. Raises NoRoomToRead where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoRoomToRead(name, error.strerror or "full") from error
        raise


class MissingColumns(IngestionError):
    """The mapping names columns that the input does not have."""

    def __init__(self, missing: Sequence[tuple[str, str]], columns: Sequence[str]) -> None:
        self.missing = missing
        named = ", ".join(f"{column!r} ({role})" for role, column in missing)
        super().__init__(
            f"The input has no column {named}. Its columns are: {', '.join(map(repr, columns))}. "
            "Name the columns to use, or load it into another source."
        )


class AmbiguousDates(IngestionError):
    """Dates that two formats read, but otherwise, and nobody has said which is meant."""

    def __init__(self, columns: Sequence[str], doubt: Doubt) -> None:
        self.columns = columns
        self.doubt = doubt
        (best, first), (rival, second) = doubt.readings
        super().__init__(
            f"The dates in {' and '.join(map(repr, columns))} can be read in two ways, and no row "
            f"decides: {doubt.text.strip()!r} is {first} by {best}, or {second} by {rival}. "
            "Nothing has landed. Say which is meant, and load it again: "
            f"--timestamp-format '{rival}' on the command line, timestamp_format in the API, or "
            "the date format in the settings of the source."
        )


class InvalidDateFormat(IngestionError):
    """A format of dates that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:100]!r} can't be the format of dates: it is iso, unix, or one such as "
            "%d.%m.%Y, or %m/%d/%Y %H:%M with the time of day."
        )


class InvalidSourceName(IngestionError):
    """A name that no source can have."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} can't be the name of a source: it starts with a letter or a digit and has "
            "at most 100 letters, digits, '_', '-' and '.'."
        )


class InvalidLimit(IngestionError):
    """A limit of rejected rows that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} can't be the most rejected rows: it is a number, or a share like 2%."
        )


class TooManyRejects(IngestionError):
    """More rows were rejected than the run may reject."""

    def __init__(self, rejected: int, read: int, limit: str) -> None:
        super().__init__(
            f"Stopped: {rejected:,} of {read:,} rows were rejected, and the limit is {limit}. What "
            "landed stays; see the reasons, and load again or undo the run."
        )


class InputChanged(IngestionError):
    """The input of an unfinished run is no longer what it was when the run began."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(
            f"{name} has changed since this run read it up to row {line}. What landed stays; "
            "load the file again to land the rest."
        )


class ChangedWhileRead(IngestionError):
    """An input whose bytes were not the same from the first look at it to the last row."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was changed while it was read. Load it again once nothing writes to it. Rows "
            "that have landed stay, and can be undone with their run."
        )


class CannotUndo(IngestionError):
    """A run that can't be undone now."""

    def __init__(self, run: object, reason: str) -> None:
        super().__init__(f"{run} can't be undone: {reason}.")


class CannotReplay(IngestionError):
    """A run whose rejected rows can't be taken up now."""

    def __init__(self, run: object, reason: str) -> None:
        super().__init__(f"Nothing of {run} can be replayed: {reason}.")


class OtherSource(IngestionError):
    """A repaired file that belongs to another source."""

    def __init__(self, name: str, run: int, source: str | None) -> None:
        where = f"source {source!r}: load it there" if source else "a source that is not here"
        super().__init__(
            f"{name} holds rejected rows of run {run}, which is one of {where}. Without its "
            "columns for line and reason it can be loaded anywhere."
        )


class RowError(Exception):
    """One row can't become a record; the rows around it can."""

    def __init__(self, code: str, message: str, column: str = "") -> None:
        self.code = code
        self.message = message
        self.column = column
        super().__init__(message)
