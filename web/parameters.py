"""The parameters of a page's URL."""

from collections.abc import Collection

from django.http import QueryDict


def refusal_of_names(
    parameters: QueryDict, *, known: Collection[str], repeatable: Collection[str] = ()
) -> str:
    """What is wrong with the names, in a sentence; "" if all can.

    A name that is misspelled would find more than was meant, and of a value that is given twice
    one would go unseen.
    """
    for name, values in parameters.lists():
        if name not in known:
            return f"There is no filter “{name}”."
        if len(values) > 1 and name not in repeatable:
            return f"The filter “{name}” may be given only once."
    return ""
