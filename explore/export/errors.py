"""What can't be exported, in words for who asked."""

from collections.abc import Mapping

from records.errors import ExportError


class Refused(ExportError):
    """What was asked for can't be exported; ``errors`` are sentences by parameter."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(text for said in errors.values() for text in said))
        self.errors = errors


class TooLargeForExcel(ExportError):
    """A sheet has room for less than this."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Export as CSV, or narrow the filter.")


class TooLargeForParquet(ExportError):
    """DuckDB has not enough memory for this."""

    def __init__(self, columns: int) -> None:
        super().__init__(
            f"{columns:,} columns with such cells need more memory than "
            "DATAFLOW_COLUMNS_MEMORY_MB allows. Export as CSV, or choose fewer columns."
        )
