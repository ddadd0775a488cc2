"""The key that signs receipts: from the environment, else made once and kept in a file."""

from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ingestion.receipts import documents
from web.kept_secret import kept_secret


def signing_key() -> Ed25519PrivateKey:
    """The key. Raises ImproperlyConfigured if it can't be read."""
    return _key(settings.RECEIPT_KEY, settings.RECEIPT_KEY_FILE)


@lru_cache(maxsize=4)
def _key(given: str, path: Path) -> Ed25519PrivateKey:
    try:
        return documents.private_key(given or kept_secret(path, documents.new_private_key))
    except ValueError as error:
        where = "DATAFLOW_RECEIPT_KEY" if given else str(path)
        raise ImproperlyConfigured(
            f"{where} is not a private Ed25519 key. Make one with `openssl rand -hex 32`."
        ) from error
