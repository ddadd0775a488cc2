"""Names of what people save, and with whom it is shared."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from records.models import Audience

OF_GROUP = f"{Audience.GROUP}:"


class CannotSave(Exception):
    """Something that can't be saved; ``field`` is what is wrong, "" if it is none of them."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def audiences_for(user: User | AnonymousUser) -> list[tuple[str, str]]:
    """With whom a person may share: values of a form, and their labels."""
    groups = Group.objects.filter(user=user.pk).order_by("name")
    return [
        (Audience.PRIVATE.value, Audience.PRIVATE.label),
        *((f"{OF_GROUP}{group.pk}", f"Group {group.name}") for group in groups),
        (Audience.EVERYBODY.value, Audience.EVERYBODY.label),
    ]


def audience_of(shared: Any) -> str:
    """With whom something is shared, as the value of a form."""
    return f"{OF_GROUP}{shared.group_id}" if shared.group_id else str(shared.audience)


def set_audience(shared: Any, chosen: str) -> None:
    """Share with whom a value of a form says. Raises CannotSave."""
    if chosen != audience_of(shared) and chosen not in dict(audiences_for(shared.owner)):
        raise CannotSave(
            "audience",
            "Choose “private”, “everybody”, or “group:” and the number of a group of yours.",
        )
    audience, _, group = chosen.partition(":")
    shared.audience, shared.group_id = audience, int(group) if group else None


def set_name(shared: Any, name: str) -> None:
    """Name something as no other thing of its owner is named. Raises CannotSave."""
    name = name.strip()
    try:
        ProhibitNullCharactersValidator()(name)
        type(shared)(name=name).clean_fields(exclude=["owner"])
    except ValidationError as error:
        sentence = " ".join(error.messages) if name else "Give it a name."
        raise CannotSave("name", sentence) from error
    others = type(shared).objects.owned_by(shared.owner).filter(name=name).exclude(pk=shared.pk)
    if others.exists():
        kind = shared._meta.verbose_name
        raise CannotSave("name", f"You already have a {kind} “{name}”. Choose another name.")
    shared.name = name
