"""The tables of who may do what, and of what was done."""

from accounts.models.audit import AuditEntry
from accounts.models.grants import SourceGrant

__all__ = ["AuditEntry", "SourceGrant"]
