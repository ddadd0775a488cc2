"""People who have an account, by what they may do."""

from typing import Any

from django.contrib.auth.models import Group, User


def viewer(name: str = "reader", **fields: Any) -> User:
    """Somebody who may read everything, and do nothing else."""
    return of_role("Viewer", name, **fields)


def of_role(role: str, name: str, **fields: Any) -> User:
    user = User.objects.create_user(name, **fields)
    user.groups.add(Group.objects.get(name=role))
    return user
