"""People: their role, the sources they are limited to, and whether their account is open."""

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.grants import set_limit
from accounts.roles import ROLES
from records.permissions import Action, check
from records.visible_sources import check_unlimited


def role_of(user: User) -> str:
    """The role that allows most; "" without one."""
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(ROLES) if role in names), "")


def check_manages(actor: User, person: User | None = None) -> None:
    """Raise PermissionDenied for who may not manage people, or not this person.

    Superusers are managed by superusers. Nobody manages the own account: rights are given by
    others, and nobody is locked out by mistake.
    """
    check(actor, Action.MANAGE_PEOPLE)
    check_unlimited("manage people")
    if person is None:
        return
    if person.is_superuser and not actor.is_superuser:
        raise PermissionDenied("Only a superuser may change a superuser.")
    if person.pk == actor.pk:
        raise PermissionDenied("You can't change your own role. Ask another administrator.")


def check_gives(actor: User, group: Group) -> None:
    """Raise PermissionDenied for a group that may do more than the one who adds members to it."""
    granted = {
        f"{app}.{code}"
        for app, code in group.permissions.values_list("content_type__app_label", "codename")
    }
    if not actor.is_superuser and not granted <= actor.get_all_permissions():
        raise PermissionDenied(f"You can't add anybody to “{group}”: it may do more than you.")


@transaction.atomic
def add_person(
    *,
    actor: User,
    username: str,
    email: str,
    password: str,
    role: str,
    sources: Collection[str] | None,
) -> User:
    """Create an account. Raises PermissionDenied."""
    check_manages(actor)
    person = User.objects.create_user(username, email, password)
    set_rights(actor=actor, person=person, role=role, sources=sources)
    return person


@transaction.atomic
def set_rights(*, actor: User, person: User, role: str, sources: Collection[str] | None) -> None:
    """Give a person one role, or none for "", and limit it to sources; None lifts the limit.

    Raises PermissionDenied, also for a role that may do more than the one who gives it.
    """
    check_manages(actor, person)
    chosen = Group.objects.filter(name=role).first()
    if chosen is not None:
        check_gives(actor, chosen)
    person.groups.remove(*person.groups.filter(name__in=ROLES).exclude(name=role))
    if chosen is not None:
        person.groups.add(chosen)
    set_limit(user=person, sources=sources)


def set_active(*, actor: User, person: User, is_active: bool) -> None:
    """Open or close an account. Raises PermissionDenied."""
    check_manages(actor, person)
    person.is_active = is_active
    person.save(update_fields=["is_active"])
