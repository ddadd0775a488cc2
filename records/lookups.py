"""The rows that URLs name: the row, or the error page that says that there is none."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from records.models import Source
from web.converters import GREATEST_ID

Row = TypeVar("Row", bound=Model)
Found = TypeVar("Found")


def by_id(rows: "QuerySet[Row, Any]", pk: int) -> Row | None:
    """The row with this id, or None. No database is asked for an id beyond its range."""
    return rows.filter(pk=pk).first() if pk <= GREATEST_ID else None


def or_404(found: Found | None, sentence: str) -> Found:
    """What was found. Raises Http404 with the sentence if there is nothing."""
    if found is None:
        raise Http404(sentence)
    return found


def row_or_404(rows: "QuerySet[Row, Any]", pk: int, name: str) -> Row:
    """The row with this id; ``name`` is what people call such a row. Raises Http404."""
    return or_404(by_id(rows, pk), f"There is no {name} {pk}.")


def source_or_404(name: str, among: Iterable[Source] | None = None) -> Source:
    """The source of this name, of all or ``among`` those that are at hand. Raises Http404."""
    found: Source | None = (
        Source.objects.named(name)
        if among is None
        else next((source for source in among if source.name == name), None)
    )
    return or_404(found, f"There is no source “{name}”.")
