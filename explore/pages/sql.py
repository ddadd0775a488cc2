"""The page that runs statements in SQL."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.rights import for_an_account
from explore.columns.schema import quoted
from explore.sql.answer import NoResult, Stopped, TryLater, result
from explore.sql.examples import examples
from explore.sql.files import cell_text
from explore.sql.running import NUMBERS
from explore.sql.statement import MOST_CHARACTERS
from explore.sql.tables import columns_of_tables
from records.permissions import Action, check
from web.requests import PageRequest

# Further rows are in the files.
MOST_LISTED = 500


@for_an_account
@require_safe
def sql(request: PageRequest) -> HttpResponse:
    """The form, and the result of its statement; what is wrong with it is said above it."""
    check(request.user, Action.WRITE_SQL)
    if unknown := set(request.GET) - {"statement"}:
        raise BadRequest(f"There is no parameter “{min(unknown)}”. The only one is “statement”.")
    statement = request.GET.get("statement", "")
    tables = columns_of_tables()
    context: dict[str, Any] = {
        "statement": statement,
        "most_characters": MOST_CHARACTERS,
        "tables": [(name, quoted(name), columns) for name, columns in tables.items()],
        "examples": [(text, f"?{urlencode({'statement': text})}") for text in examples(tables)],
    }
    status = 200
    if statement.strip():
        try:
            found = result(statement, person=request.user.pk)
            context |= {
                "result": found,
                "head": [
                    (name, of_type, of_type in NUMBERS)
                    for name, of_type in zip(
                        found.outcome.columns, found.outcome.types, strict=True
                    )
                ],
                "rows": [_cells(row) for row in found.outcome.rows[:MOST_LISTED]],
                "query": urlencode({"statement": statement}),
            }
        except NoResult as error:
            status = (
                429 if isinstance(error, TryLater) else 503 if isinstance(error, Stopped) else 400
            )
            context["error"] = str(error)
    return render(request, "explore/sql.html", context, status=status)


def _cells(row: list[Any]) -> list[tuple[str, bool, bool]]:
    """The text of each cell, and whether it is a number, and NULL."""
    return [(cell_text(cell), type(cell) in (int, float), cell is None) for cell in row]


def _status(error: NoResult) -> int:
    if isinstance(error, TryLater):
        return 429
    return 503 if isinstance(error, Stopped) else 400
