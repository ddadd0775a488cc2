"""What a token looks like, and what is stored of it. Pure: no table."""

import hashlib
import re
import secrets
from typing import NamedTuple

# A public part by which a token is found and recognized, and a secret of 256 bits.
PUBLIC_BYTES, SECRET_BYTES = 6, 32
FORM = re.compile(r"(dfa_[0-9a-f]{12})_[0-9a-f]{64}")
# Tokens made before version 0.3, by django-rest-knox. The last of them expires 90 days after the
# update to that version.
LEGACY = re.compile(r"([0-9a-f]{15})[0-9a-f]{49}")


class Stored(NamedTuple):
    """What is stored of a token."""

    prefix: str
    digest: str


def new_text() -> str:
    """A new token."""
    return f"dfa_{secrets.token_hex(PUBLIC_BYTES)}_{secrets.token_hex(SECRET_BYTES)}"


def stored(text: str) -> Stored | None:
    """What would be stored of this text; None if it has not the form of a token."""
    if found := FORM.fullmatch(text):
        return Stored(found[1], hashlib.sha256(text.encode()).hexdigest())
    if found := LEGACY.fullmatch(text):
        return Stored(found[1], hashlib.sha512(text.encode()).hexdigest())
    return None
