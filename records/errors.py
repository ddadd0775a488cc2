"""The errors of the write door."""


class StoreError(Exception):
    """Base of this app's errors; ``str()`` is a sentence for the user."""


class LeaseLost(StoreError):
    """The run is not (or no longer) this worker's: another one took it over, or it was ended."""

    def __init__(self, run: object) -> None:
        super().__init__(f"{run} is no longer held by this worker.")


class EnvironmentFault(StoreError):
    """The environment keeps the work from going on; the input is not to blame.

    ``str()`` says what is missing. The work waits, and goes on by itself.
    """


class BatchLost(StoreError):
    """Another worker took the batch over; what it makes of it counts."""

    def __init__(self, batch: object) -> None:
        super().__init__(f"{batch} is no longer held by this worker.")


class InvalidData(StoreError):
    """Data that no record can hold."""


class SourceHasRecords(StoreError):
    """A source can't be deleted as long as it has records."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has records. Delete them first.")


class RecordNotFound(StoreError):
    """There is no record with that id."""

    def __init__(self, record_id: str) -> None:
        self.record_id = record_id
        super().__init__(f"There is no record with the ID {record_id!r}.")


class RecordChanged(StoreError):
    """The record no longer is what who wants to change it has seen."""

    def __init__(self, record_id: str, version: int) -> None:
        self.version = version
        super().__init__(
            f"{record_id!r} has changed meanwhile: it has version {version} now. Read it again, "
            "and repeat the change."
        )


class UnknownJob(LookupError):
    """No app has registered a job of this kind, or for this row."""


class ExportError(ValueError):
    """Base of what exports raise; ``str()`` is a sentence."""


class TooManyExports(ExportError):
    """Others have to end first; ``seconds`` is when it may be worth while to ask again."""

    def __init__(self, sentence: str, *, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class TimeIsUp(ExportError):
    """The export has taken all the time that one may take."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The export was stopped after {seconds:g} seconds. Narrow the filter, or use "
            "`manage.py export`, which has no time limit."
        )
