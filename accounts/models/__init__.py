"""The tables of who may do what, and of what was done."""

from accounts.models.audit import AuditEntry
from accounts.models.grants import SourceGrant
from accounts.models.tokens import ApiToken, TokenKind, TokenScope

__all__ = ["ApiToken", "AuditEntry", "SourceGrant", "TokenKind", "TokenScope"]
