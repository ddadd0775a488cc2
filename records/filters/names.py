"""The names of the parameters of a page that shows what a filter finds."""

from collections.abc import Collection

from django.http import QueryDict

from records.filters.record_filter import RecordFilter

# What the explorer has in its URL beside its filter, and links of its hand on.
FACETS = ("facets", "facet")


def refusal(parameters: QueryDict, *, besides: Collection[str] = FACETS) -> str:
    """Why parameters of a list of records can't be meant as they stand; "" if they can.

    ``besides`` are names that are known and belong to no filter.
    """
    known = {*RecordFilter.base_filters, *besides}
    return refusal_of_names(parameters, known=known, repeatable=RecordFilter.repeatable())


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
            return f"The filter “{name}” is given more than once."
    return ""
