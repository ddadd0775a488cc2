"""Groups: who belongs to them, and the sources that their members are limited to."""

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.grants import set_limit
from accounts.people import check_gives, check_manages


def check_manages_group(actor: User, group: Group | None = None) -> None:
    """Raise PermissionDenied for who may not manage groups, or not this group.

    Nobody changes what the own account may see: only superusers, who see everything, manage a
    group that they belong to.
    """
    check_manages(actor)
    if group is not None and not actor.is_superuser and actor.groups.contains(group):
        raise PermissionDenied(
            "You can't change a group that you belong to. Ask another administrator."
        )


@transaction.atomic
def add_group(*, actor: User, name: str, sources: Collection[str] | None) -> Group:
    """Create a group without permissions or members. Raises PermissionDenied."""
    check_manages(actor)
    group = Group.objects.create(name=name)
    set_limit(group=group, sources=sources)
    return group


@transaction.atomic
def change_group(
    *,
    actor: User,
    group: Group,
    sources: Collection[str] | None,
    members: Collection[User] | None = None,
) -> None:
    """Limit a group to sources, where None lifts the limit; ``members`` are those from now on.

    Raises PermissionDenied, also for members that the actor may not manage, and for a group that
    may do more than the actor.
    """
    check_manages_group(actor, group)
    set_limit(group=group, sources=sources)
    if members is None:
        return
    before, after = set(group.user_set.all()), set(members)
    for person in before ^ after:
        check_manages(actor, person)
    if after - before:
        check_gives(actor, group)
    group.user_set.remove(*(before - after))
    group.user_set.add(*(after - before))
