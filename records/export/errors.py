"""What can't be exported, in words for who asked."""


class ExportError(ValueError):
    """Base of what exports raise before their first byte; ``str()`` is a sentence."""


class TooLargeForExcel(ExportError):
    """A sheet has room for less than this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Export as CSV, or narrow the filter.")
