"""Settings from environment variables, read strictly: every mistake has a clear message."""

import os
import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SHORTEST_SECRET = 16
ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")


def flag(name: str) -> bool:
    """A switch: 1, true, yes and on switch it on; 0, false, no, off and nothing leave it off."""
    value = os.environ.get(name, "").strip().lower()
    if value not in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in {"1", "true", "yes", "on"}


def listed(name: str, default: str = "") -> list[str]:
    """Words, separated by commas."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def pairs(name: str) -> dict[str, str]:
    """Pairs such as ``analysts=Viewer``, separated by commas."""
    found = [part.partition("=") for part in listed(name)]
    if not all(key.strip() and value.strip() for key, _, value in found):
        raise ImproperlyConfigured(f"{name} must be a list of pairs such as analysts=Viewer.")
    return {key.strip(): value.strip() for key, _, value in found}


def together(**values: str) -> list[list[str]]:
    """The values of variables that are set together, by name: one list of them, or none."""
    if any(values.values()) and not all(values.values()):
        missing = ", ".join(name for name, value in values.items() if not value)
        raise ImproperlyConfigured(f"{' and '.join(values)} belong together: {missing} is not set.")
    return [list(values.values())] if all(values.values()) else []


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Networks such as 10.0.0.0/8 or fd00::/8, separated by commas; an address is one, too."""
    try:
        return [ip_network(part, strict=False) for part in listed(name)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be a list of networks such as 10.0.0.0/8: {error}."
        ) from None


def origins(name: str) -> list[str]:
    """Origins such as https://data.example.org, separated by commas."""
    found = listed(name)
    for each in found:
        if not ORIGIN.fullmatch(each):
            raise ImproperlyConfigured(
                f"{name} must be a list of origins such as https://data.example.org, not {each!r}."
            )
    return found


def folders(name: str, default: str) -> list[Path]:
    """Folders, separated by commas."""
    return [Path(part).resolve() for part in listed(name, default)]


def number(name: str, default: int, *, minimum: int = 1) -> int:
    """A whole number from ``minimum``."""
    value = os.environ.get(name, str(default)).strip()
    if not (value.isascii() and value.isdecimal() and int(value) >= minimum):
        raise ImproperlyConfigured(
            f"{name} must be a whole number of at least {minimum}, not {value!r}."
        )
    return int(value)


def secret(name: str) -> str:
    """A secret that is too long to be guessed; "" if it is not set."""
    value = os.environ.get(name, "").strip()
    if value and len(value) < SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} must have at least {SHORTEST_SECRET} characters.")
    return value


def one_of(name: str, default: str, known: Collection[str]) -> str:
    """One of the words that are known."""
    value = os.environ.get(name, default)
    if value not in known:
        examples = ", ".join(sorted(known)[:8])
        raise ImproperlyConfigured(f"{name} can't be {value!r}. Valid values include {examples}.")
    return value


def database_url(default: str) -> dict[str, Any]:
    """The database that DATABASE_URL names, as Django's settings have it."""
    try:
        url = os.environ.get("DATABASE_URL") or default
        config = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    except (ValueError, dj_database_url.ParseError) as error:
        # Not the URL itself: it holds a password.
        raise ImproperlyConfigured(f"DATABASE_URL is not valid: {error}") from None
    if config["ENGINE"] not in ("django.db.backends.postgresql", "django.db.backends.sqlite3"):
        raise ImproperlyConfigured("DATABASE_URL must start with postgres:// or sqlite://.")
    return config


class MailServer(NamedTuple):
    """Where mails are handed in."""

    host: str
    port: int
    user: str
    password: str
    # TLS from the first byte, or begun within the connection.
    tls: bool
    starttls: bool


# Scheme: port, TLS, STARTTLS.
MAIL_SCHEMES = {
    "smtp": (25, False, False),
    "smtp+tls": (587, False, True),
    "smtps": (465, True, False),
}


def mail_server() -> MailServer | None:
    """The mail server that EMAIL_URL names, such as smtp+tls://user:password@mail.example.org."""
    value = os.environ.get("EMAIL_URL")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        port, tls, starttls = MAIL_SCHEMES[parts.scheme]
        host, port = parts.hostname, parts.port or port
    except (ValueError, KeyError):
        host = None
    if not host:
        # Not the URL itself: it holds a password.
        raise ImproperlyConfigured(
            "EMAIL_URL must be like smtp+tls://user:password@mail.example.org:587. Valid schemes "
            f"are {', '.join(MAIL_SCHEMES)}."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(host, port, user, password, tls, starttls)
