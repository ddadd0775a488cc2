"""The errors of processing; ``str()`` is a message for the user."""


class ProcessingError(Exception):
    """Base of this app's errors."""


class UnknownSource(ProcessingError):
    """There is no source with that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no source {name!r}.")


class InvalidRules(ProcessingError):
    """Rules that can't be carried out."""


class RulesBreak(ProcessingError):
    """The rules break on so many records that it must be their own fault."""

    def __init__(self, source: str, version: int, error: Exception) -> None:
        super().__init__(
            f"Version {version} of the rules of {source} crashes on too many records "
            f"({type(error).__name__}: {error}). Results so far are kept. Correct the rules and "
            "start again."
        )
