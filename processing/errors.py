"""What can go wrong when processing is asked for; ``str()`` is a sentence for the user."""


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
            f"Version {version} of the rules of {source} breaks on one record after the other "
            f"({type(error).__name__}: {error}). What was processed before stays; correct the "
            "rules, and start again."
        )
