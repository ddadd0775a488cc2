"""Lookups for views: the row that a URL names, or 404."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from records.models import Source
from web.converters import GREATEST_ID

Row = TypeVar("Row", bound=Model)
Found = TypeVar("Found")


def by_id(rows: "QuerySet[Row, Any]", pk: int) -> Row | None:
    """The row with this id, or None, as for ids beyond the range of the databases."""
    return rows.filter(pk=pk).first() if pk <= GREATEST_ID else None


def or_404(found: Found | None, sentence: str) -> Found:
    """Return what was found. Raises Http404 with the sentence for None."""
    if found is None:
        raise Http404(sentence)
    return found


def row_or_404(rows: "QuerySet[Row, Any]", pk: int, name: str) -> Row:
    """The row with this id; ``name`` is what users call such a row. Raises Http404."""
    return or_404(by_id(rows, pk), f"There is no {name} {pk}.")


def source_or_404(name: str, among: Iterable[Source] | None = None) -> Source:
    """The source of this name, from the database or ``among`` loaded ones. Raises Http404."""
    found: Source | None = (
        Source.objects.named(name)
        if among is None
        else next((source for source in among if source.name == name), None)
    )
    return or_404(found, f"There is no source “{name}”.")
