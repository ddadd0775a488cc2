"""The audit log: ``record`` appends to it, ``check`` proves that nothing was changed in it."""

from accounts.audit.actor import worker
from accounts.audit.entries import record
from accounts.audit_actions import Action

__all__ = ["Action", "record", "worker"]
