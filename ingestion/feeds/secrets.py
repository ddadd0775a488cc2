"""Secrets of feeds: read from the environment or stored encrypted; never shown or logged."""

import base64
import json
import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ingestion.feeds.config import check_header
from ingestion.feeds.errors import InvalidFeed, SecretUnknown
from ingestion.feeds.paging import with_parameters

# Only such names: a header must not be a way to the database's password.
PREFIX = "DATAFLOW_SECRET_"
REFERENCE = re.compile(r"\$\{(\w*)\}")
SENSITIVE = re.compile(r"auth|token|key|secret|cookie|passw|session|credential", re.IGNORECASE)


def encrypt(headers: Mapping[str, str]) -> str:
    """Encrypt secret headers for storage with the SECRET_KEY of this site."""
    return _fernet().encrypt(json.dumps(dict(headers)).encode()).decode() if headers else ""


def decrypt(kept: str) -> dict[str, str]:
    """Decrypt stored headers. Raises SecretUnknown if SECRET_KEY has changed."""
    if not kept:
        return {}
    try:
        found: dict[str, str] = json.loads(_fernet().decrypt(kept.encode()))
    except InvalidToken:
        raise SecretUnknown(
            "The secret headers of this source can't be decrypted, because SECRET_KEY has changed. "
            "Enter them again."
        ) from None
    return found


def kept_names(kept: str) -> list[str]:
    """The names of the stored headers; none if they can't be decrypted."""
    try:
        return sorted(decrypt(kept))
    except SecretUnknown:
        return []


def filled_in(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with each ``${DATAFLOW_SECRET_..}`` replaced by the environment variable.

    Raises SecretUnknown, and InvalidFeed for a value that is not allowed in a header.
    """
    found = {name: REFERENCE.sub(_from_environment, value) for name, value in headers.items()}
    for name, value in found.items():
        check_header(name, value)
    return found


def without_secrets(url: str) -> str:
    """A URL whose parameters with the name of a secret have no value."""
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return with_parameters(url, {name: "" for name, _ in query if SENSITIVE.search(name)})


def check_references(headers: Mapping[str, str], *, field: str = "headers") -> None:
    """Raise InvalidFeed for headers that would show a secret, or use a forbidden variable."""
    for name, value in headers.items():
        references = REFERENCE.findall(value)
        for reference in references:
            if not reference.startswith(PREFIX):
                raise InvalidFeed(
                    field, f"Environment variables in headers must start with {PREFIX}."
                )
        if field == "headers" and SENSITIVE.search(name) and not references:
            raise InvalidFeed(
                "headers",
                f"The value of {name!r} looks like a secret. Move it to the secret headers, or use "
                f"an environment variable: ${{{PREFIX}NAME}}.",
            )


def _from_environment(reference: re.Match[str]) -> str:
    name = reference[1]
    if not name.startswith(PREFIX):
        raise SecretUnknown(f"Environment variables in headers must start with {PREFIX}.")
    value = os.environ.get(name)
    if value is None:
        raise SecretUnknown(f"A header needs the environment variable {name}, which is not set.")
    return value.strip()


def _fernet() -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"dataflow feeds: secret headers")
    return Fernet(base64.urlsafe_b64encode(key.derive(settings.SECRET_KEY.encode())))
