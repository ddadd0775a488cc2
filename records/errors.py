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
