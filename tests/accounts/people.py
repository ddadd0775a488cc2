"""People who sign in, for the tests of accounts."""

import base64
import hmac
import struct
import time

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


def code_of(secret, steps=0):
    """The code that an authenticator app shows (RFC 6238), so many half minutes from now."""
    key = base64.b32decode(secret)
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(key, counter, "sha1")
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
