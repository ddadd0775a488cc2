"""People who sign in, for the tests of accounts."""

from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "a long password"


def person(name="ada", **fields):
    return User.objects.create_user(name, password=PASSWORD, **fields)


def sign_in(name="ada", password=PASSWORD, client=None, *, address="127.0.0.1", **headers):
    """The answer to the form of the login page, sent by a new browser unless one is given."""
    given = {"username": name, "password": password}
    client = client or Client()
    return client.post("/login/", given, headers=headers, REMOTE_ADDR=address)


def is_in(client):
    return client.get("/account/").status_code == 200
