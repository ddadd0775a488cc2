"""The tables of who may do what, and of what was done."""

from accounts.models.audit import AuditEntry

__all__ = ["AuditEntry"]
