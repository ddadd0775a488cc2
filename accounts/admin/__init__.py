"""The admin of who may do what."""

from accounts.admin import audit, people, tokens

__all__ = ["audit", "people", "tokens"]
