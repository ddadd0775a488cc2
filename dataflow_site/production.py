"""What an installation behind HTTPS must have been told."""

import os

from django.core.exceptions import ImproperlyConfigured

# As `manage.py check --deploy` counts.
KEY_CHARACTERS = 50
KEY_VARIETY = 5
MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"


def require_production_settings() -> None:
    """Raise ImproperlyConfigured without a strong SECRET_KEY or without ALLOWED_HOSTS."""
    key = os.environ.get("SECRET_KEY", "")
    if len(key) < KEY_CHARACTERS or len(set(key)) < KEY_VARIETY:
        problem = "is too weak" if key else "is not set"
        raise ImproperlyConfigured(
            f"With HTTPS=1, SECRET_KEY must have {KEY_CHARACTERS} random characters, but it "
            f"{problem}. Make one with: {MAKE_A_KEY}"
        )
    hosts = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    if not any(hosts) or "*" in hosts:
        raise ImproperlyConfigured(
            "With HTTPS=1, ALLOWED_HOSTS must name the hosts of the site, such as data.example.org."
        )
