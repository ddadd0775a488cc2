"""The names of the parameters of a page that shows what a filter finds."""

from collections.abc import Collection

from django.http import QueryDict

from records.filters.record_filter import RecordFilter

# What the explorer has in its URL beside its filter, and links of its hand on.
FACETS = ("facets", "facet")


def refusal(parameters: QueryDict, *, besides: Collection[str] = FACETS) -> str:
    """Why parameters can't be meant as they stand, in a sentence; "" if they can.

    A name that is misspelled would find more than was meant, and of a value that is given twice
    one would go unseen. ``besides`` are names that are known and belong to no filter.
    """
    for name, values in parameters.lists():
        if name not in RecordFilter.base_filters and name not in besides:
            return f"There is no filter “{name}”."
        if len(values) > 1 and name not in RecordFilter.repeatable():
            return f"The filter “{name}” is given more than once."
    return ""
