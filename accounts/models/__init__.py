"""The tables of who may do what."""

from accounts.models.grants import SourceGrant
from accounts.models.tokens import ApiToken, TokenKind, TokenScope

__all__ = ["ApiToken", "SourceGrant", "TokenKind", "TokenScope"]
