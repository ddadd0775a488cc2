"""Checks the names of query parameters on pages with a record filter."""

from collections.abc import Collection

from django import forms
from django.http import QueryDict

from records.filters.record_filter import RecordFilter


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
    """Why parameters of a list of records can't be meant as they stand; "" if they can.

    ``besides`` are names that are known and belong to no filter.
    """
    known = {*RecordFilter.base_filters, *besides}
    if sentence := refusal_of_names(parameters, known=known, repeatable=RecordFilter.repeatable()):
        return sentence
    errors = FacetsForm(parameters).errors
    return " ".join(f"{name}: {said[0]}" for name, said in errors.items())


def refusal_of_names(
    parameters: QueryDict, *, known: Collection[str], repeatable: Collection[str] = ()
) -> str:
    """Which name can't be meant as it stands, in a sentence; "" if all can.

    A name that is misspelled would find more than was meant, and of a value that is given twice
    one would go unseen.
    """
    for name, values in parameters.lists():
        if name not in known:
            return f"There is no filter “{name}”."
        if len(values) > 1 and name not in repeatable:
            return f"The filter “{name}” may be given only once."
    return ""
