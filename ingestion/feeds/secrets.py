"""Secrets of feeds: taken from the environment, or kept encrypted; never shown, never logged."""

import base64
import json
import os
import re
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ingestion.feeds.config import check_header
from ingestion.feeds.errors import InvalidFeed, SecretUnknown

# Only such names: a header must not be a way to the database's password.
PREFIX = "DATAFLOW_SECRET_"
REFERENCE = re.compile(r"\$\{(\w*)\}")
SENSITIVE = re.compile(r"auth|token|key|secret|cookie|passw|session|credential", re.IGNORECASE)


def encrypt(headers: Mapping[str, str]) -> str:
    """Headers with secrets as they are kept: readable only with this site's SECRET_KEY."""
    return _fernet().encrypt(json.dumps(dict(headers)).encode()).decode() if headers else ""


def decrypt(kept: str) -> dict[str, str]:
    """The headers that were kept. Raises SecretUnknown where SECRET_KEY is another one now."""
    if not kept:
        return {}
    try:
        found: dict[str, str] = json.loads(_fernet().decrypt(kept.encode()))
    except InvalidToken:
        raise SecretUnknown(
            "The secret headers of this source can't be read: SECRET_KEY is not what it was when "
            "they were kept. Enter them again."
        ) from None
    return found


def kept_names(kept: str) -> list[str]:
    """The names of the headers that are kept; none where they can't be read."""
    try:
        return sorted(decrypt(kept))
    except SecretUnknown:
        return []


def filled_in(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with each ``${DATAFLOW_SECRET_..}`` replaced by what the environment has.

    Raises SecretUnknown, and InvalidFeed for a value that no header may have.
    """
    found = {name: REFERENCE.sub(_from_environment, value) for name, value in headers.items()}
    for name, value in found.items():
        check_header(name, value)
    return found


def check_references(headers: Mapping[str, str]) -> None:
    """Raise InvalidFeed for headers that would show a secret, or ask for one they may not have."""
    for name, value in headers.items():
        references = REFERENCE.findall(value)
        for reference in references:
            if not reference.startswith(PREFIX):
                raise InvalidFeed(
                    "headers", f"A secret of the environment has a name that begins with {PREFIX}."
                )
        if SENSITIVE.search(name) and not references:
            raise InvalidFeed(
                "headers",
                f"The value of {name!r} looks like a secret: put the header among the secret ones, "
                f"or write ${{{PREFIX}NAME}} for what the environment has.",
            )


def _from_environment(reference: re.Match[str]) -> str:
    name = reference[1]
    if not name.startswith(PREFIX):
        raise SecretUnknown(f"A secret of the environment has a name that begins with {PREFIX}.")
    value = os.environ.get(name)
    if value is None:
        raise SecretUnknown(f"The environment has no {name}, which a header of this feed needs.")
    return value.strip()


def _fernet() -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"dataflow feeds: secret headers")
    return Fernet(base64.urlsafe_b64encode(key.derive(settings.SECRET_KEY.encode())))
