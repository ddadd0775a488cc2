"""The tables of who may do what."""

from accounts.models.grants import SourceGrant

__all__ = ["SourceGrant"]
