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
