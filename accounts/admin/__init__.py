"""The admin of who may do what."""

from accounts.admin import people, tokens

__all__ = ["people", "tokens"]
