"""Checks the names of query parameters on pages with a record filter."""

from collections.abc import Collection

from django import forms
from django.core.exceptions import BadRequest
from django.http import QueryDict

from explore.filters.query import RecordQuery
from explore.filters.record_filter import RecordFilter
from web.parameters import refusal_of_names


class FacetsForm(forms.Form):
    """What the explorer has in its URL beside its filter, and links of its hand on."""

    facets = forms.ChoiceField(
        required=False,
        choices=[("1", "counted")],
        error_messages={"invalid_choice": "Must be 1 or omitted, not “%(value)s”."},
    )
    facet = forms.CharField(required=False, max_length=500, strip=False)


FACETS = tuple(FacetsForm.base_fields)


def refusal(parameters: QueryDict, *, besides: Collection[str] = FACETS) -> str:
    """Why parameters of a list of records are invalid; "" if they can.

    ``besides`` are names that are known and belong to no filter.
    """
    known = {*RecordFilter.base_filters, *besides}
    if sentence := refusal_of_names(parameters, known=known, repeatable=RecordFilter.repeatable()):
        return sentence
    errors = FacetsForm(parameters).errors
    return " ".join(f"{name}: {said[0]}" for name, said in errors.items())


def query_of_page(parameters: QueryDict, *, besides: Collection[str] = FACETS) -> RecordQuery:
    """The query of a page; it may have errors. Raises BadRequest for unknown and repeated names."""
    if sentence := refusal(parameters, besides=besides):
        raise BadRequest(sentence)
    return RecordQuery.parse(parameters)
