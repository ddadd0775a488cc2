"""Receipts as documents: canonical, signed, and verified. Pure: no Django, no tables."""

import base64
import binascii
import hashlib
import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

SEED = re.compile(r"[0-9a-fA-F]{64}")
FORMAT = "dataflow-receipt/1"


class InvalidReceipt(ValueError):
    """A receipt that is not what it should be; ``str()`` says how, as a sentence."""


def canonical(content: Any) -> bytes:
    """Content as the bytes that are signed.

    JSON in UTF-8, the names of each object sorted by code point, no white space, and of all
    characters only the quote, the backslash and those below U+0020 escaped.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest_of(content: Any) -> str:
    """The digest of a receipt: SHA-256 of its canonical content, in hex."""
    return hashlib.sha256(canonical(content)).hexdigest()


def new_private_key() -> str:
    """A new key, as PEM."""
    made = Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_key(text: str) -> Ed25519PrivateKey:
    """The key in a text: its 32 bytes as hex digits, or PEM, whose line ends may be written as
    ``\\n``. Raises ValueError."""
    if SEED.fullmatch(text.strip()):
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))
    key = load_pem_private_key(text.replace("\\n", "\n").encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("It is no Ed25519 key.")
    return key


def public_pem(key: Ed25519PrivateKey) -> str:
    """The public part of a key, as PEM."""
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(key: Ed25519PublicKey) -> str:
    """By what a receipt names its key: the first half of the SHA-256 of its 32 bytes, in hex."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:32]


def sign(content: Any, key: Ed25519PrivateKey) -> str:
    """The signature of content, in Base64."""
    return base64.b64encode(key.sign(canonical(content))).decode()


def verify(document: Any, public: str) -> dict[str, Any]:
    """The content of a receipt that holds. Raises InvalidReceipt.

    ``document`` is the parsed receipt, ``public`` the PEM text of the key.
    """
    try:
        key = load_pem_public_key(public.encode())
    except ValueError as error:
        raise InvalidReceipt("The key is not a public key in PEM form.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidReceipt("The key is no Ed25519 key.")
    if not (isinstance(document, dict) and isinstance(document.get("content"), dict)):
        raise InvalidReceipt("This is not a receipt: it has no content.")
    content: dict[str, Any] = document["content"]
    if content.get("format") != FORMAT:
        raise InvalidReceipt(f"This is not a receipt of the format {FORMAT}.")
    if content.get("key") != key_id(key):
        raise InvalidReceipt("The receipt was signed with another key.")
    try:
        signature = base64.b64decode(str(document.get("signature")), validate=True)
        key.verify(signature, canonical(content))
    except (binascii.Error, InvalidSignature, UnicodeError) as error:
        raise InvalidReceipt(
            "The signature is not valid: the receipt has been changed, or is not of this key."
        ) from error
    if document.get("digest") != digest_of(content):
        raise InvalidReceipt("The digest is not that of the content.")
    return content


def check_previous(content: dict[str, Any], previous: dict[str, Any]) -> None:
    """Check that a receipt follows another, both verified. Raises InvalidReceipt."""
    if content["previous"] != digest_of(previous):
        raise InvalidReceipt("The receipt does not follow the one that was given as the previous.")


def check_file(content: dict[str, Any], *, sha256: str, size: int) -> None:
    """Check that a receipt is about a file with this digest and size. Raises InvalidReceipt."""
    told = content.get("input")
    if not told:
        raise InvalidReceipt("The receipt is about no file.")
    if (told["sha256"], told["size"]) != (sha256, size):
        raise InvalidReceipt("The file is not the one that the receipt is about.")
