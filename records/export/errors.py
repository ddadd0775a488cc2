"""The errors of exports, with messages for the user."""

from collections.abc import Mapping


class ExportError(ValueError):
    """Base of what exports raise; ``str()`` is a sentence."""


class Refused(ExportError):
    """What was asked for can't be exported; ``errors`` are sentences by parameter."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(text for said in errors.values() for text in said))
        self.errors = errors


class TooLargeForExcel(ExportError):
    """A sheet has room for less than this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Export as CSV, or narrow the filter.")


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
