"""The tables of who may do what."""

from accounts.models.tokens import ApiToken, TokenKind, TokenScope

__all__ = ["ApiToken", "TokenKind", "TokenScope"]
