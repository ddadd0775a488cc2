"""Appends to the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.audit.actor import Actor, current_actor
from accounts.audit.chain import START, canonical, digest_of
from accounts.audit.values import changed, line
from accounts.audit_actions import Action
from accounts.models import AuditEntry
from records.database.clock import now

# The key of the lock that those who append hold; the databases keep it apart from all others.
LOCK = 0x617564697400


def record(
    action: Action,
    *,
    kind: str = "",
    object_id: object = "",
    label: object = "",
    source: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
) -> AuditEntry:
    """Append an entry, in the transaction of the change that it tells of.

    ``kind``, ``object_id`` and ``label`` name what was changed, ``source`` the source that it
    belongs to. Of ``before`` and ``after``, what differs is kept; values under names of secrets
    are replaced. Until the transaction ends no other can append, so this is the last thing that it
    should do. ``actor`` is the sender of the request, or the command's user, unless given.
    """
    actor = actor or current_actor()
    was, is_now = changed(before, after)
    with transaction.atomic():
        at = _turn()
        last = AuditEntry.objects.last_entry()
        entry = AuditEntry(
            number=last.number + 1 if last else 1,
            at=at,
            by=actor.by,
            user_id=actor.user_id,
            user_name=line(actor.user_name, 200),
            token=line(actor.token, 25),
            address=line(actor.address, 45),
            action=Action(action).value,
            object_kind=line(kind, 40),
            object_id=line(object_id, 300),
            object_label=line(label, 300),
            source=line(source, 100),
            before="" if was is None else canonical(was),
            after="" if is_now is None else canonical(is_now),
            request_id=line(actor.request_id, 32),
            request=line(actor.request, 200),
        )
        entry.digest = digest_of(entry, last.digest if last else START)
        entry.insert()
    return entry


def _turn() -> datetime:
    """Wait for the turn to append, which lasts until the transaction ends; the time then.

    On SQLite a transaction is the only one that writes, from its beginning on.
    """
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return now()
