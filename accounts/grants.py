"""Gives and takes limits to sources, of people and of groups."""

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.db import transaction

from accounts.models import SourceGrant
from records.models import Source


def limit_of(grants: Collection[SourceGrant]) -> list[str] | None:
    """The names of the sources that grants limit to, without deleted ones; None for all."""
    names = {grant.source.name for grant in grants if grant.source is not None}
    return sorted(names) if grants else None


@transaction.atomic
def set_limit(
    *, sources: Collection[str] | None, user: User | None = None, group: Group | None = None
) -> None:
    """Limit a person or a group to sources; None lifts the limit.

    Grants that stay are not touched, so that the audit log tells of what has changed only.
    """
    wanted: set[Source | None] = set()
    if sources is not None:
        # Without any, a grant of no source limits to none.
        wanted = {*Source.objects.filter(name__in=sources)} or {None}
    for grant in SourceGrant.objects.filter(user=user, group=group).select_related("source"):
        if grant.source in wanted:
            wanted.remove(grant.source)
        else:
            grant.delete()
    for source in sorted(wanted, key=str):
        SourceGrant.objects.create(user=user, group=group, source=source)
