"""Saves and removes views: states of the explorer that a person has named."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.http import QueryDict

from explore.filters import RecordQuery
from explore.filters.parameters import FACETS, refusal
from records.models import SavedView

MOST = 100


class CannotSaveView(Exception):
    """A view that can't be saved; ``field`` is what is wrong, "" if it is neither of both."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def save_view(*, user: User, name: str, parameters: QueryDict) -> SavedView:
    """Save the parameters of the explorer as a view of the user.

    An earlier view of the same name is replaced. Raises CannotSaveView.
    """
    query = RecordQuery.parse(parameters)
    if refusal(parameters, besides=(*FACETS, "cursor")) or not query.is_valid:
        raise CannotSaveView("query", "This filter is not valid, so it can't be saved.")
    try:
        ProhibitNullCharactersValidator()(name)
        SavedView(name=name).clean_fields(exclude=["user"])
    except ValidationError as error:
        sentence = " ".join(error.messages) if name else "Give the view a name."
        raise CannotSaveView("name", sentence) from error
    others = SavedView.objects.filter(user=user).exclude(name=name)
    if others.count() >= MOST:
        raise CannotSaveView("", f"You already have {MOST} saved views. Remove one first.")
    saved, _ = SavedView.objects.update_or_create(
        user=user, name=name, defaults={"query": query.query_string()}
    )
    return saved
