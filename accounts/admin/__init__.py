"""The admin of who may do what."""

from accounts.admin import tokens

__all__ = ["tokens"]
