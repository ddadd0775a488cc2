"""Finds the account that a name or an email address means."""

from django.contrib.auth.models import User
from django.db.models import QuerySet


def find(login: str) -> User | None:
    """The account of that user name, else of that email address, whatever their case.

    None as well where more than one account would fit.
    """
    name = login.strip()
    exact = User.objects.filter(username=name).first()
    if exact is not None:
        return exact
    for found in (User.objects.filter(username__iexact=name), of_address(name)):
        users = list(found[:2])
        if users:
            return users[0] if len(users) == 1 else None
    return None


def of_address(address: str) -> QuerySet[User]:
    """The accounts of an email address."""
    return User.objects.filter(email__iexact=address).exclude(email="")
