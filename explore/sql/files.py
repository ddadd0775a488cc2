"""Results of statements as files."""

import csv
import io
from typing import Any

from explore.sql.answer import NoResult, Result
from explore.sql.running import MOST_ROWS
from web.spreadsheets import guarded


def as_csv(result: Result) -> str:
    """The rows as CSV, which no spreadsheet carries out as formulas. Raises NoResult."""
    check_is_whole(result)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(guarded, result.outcome.columns))
    writer.writerows(
        [guarded(cell) if isinstance(cell, str) else cell_text(cell) for cell in row]
        for row in result.outcome.rows
    )
    return text.getvalue()


def as_parquet(result: Result) -> bytes:
    """The result as Parquet. Raises NoResult."""
    check_is_whole(result)
    return result.outcome.content


def check_is_whole(result: Result) -> None:
    """Raise NoResult if something is missing that a file can't say."""
    if result.is_behind:
        raise NoResult(" ".join(result.remarks))
    if result.outcome.is_cut:
        raise NoResult(
            f"The result has more than {MOST_ROWS:,} rows, which no file may have. Add LIMIT "
            f"{MOST_ROWS}, or filter or group."
        )


def cell_text(cell: Any) -> str:
    """A cell as text; nothing for NULL."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)
