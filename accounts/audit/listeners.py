"""What the audit log hears of: sign-ins, changes in the store, changes of watched tables."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from accounts.audit import actor
from accounts.audit.entries import record
from accounts.audit.watched import watch
from accounts.audit_actions import Action
from records import changes
from records.changes import Change

# What is given as the name of somebody who can't sign in.
NAMES = ("username", "email", "login")


def connect() -> None:
    """Enter into the audit log, from now on, what happens."""
    changes.listen(_record_change)
    user_logged_in.connect(_record_sign_in, dispatch_uid="audit")
    user_login_failed.connect(_record_failed_sign_in, dispatch_uid="audit")
    user_logged_out.connect(_record_sign_out, dispatch_uid="audit")
    watch()


def _record_change(change: Change) -> None:
    record(
        Action(change.action),
        kind=change.kind,
        object_id=change.object_id,
        label=change.label,
        source=change.source,
        before=change.before,
        after=change.after,
    )


def _record_sign_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    who = actor.person(user, request=request)
    record(Action.SIGNED_IN, kind="person", object_id=user.pk, label=user, actor=who)


def _record_failed_sign_in(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    name = next((str(credentials[key]) for key in NAMES if credentials.get(key)), "")
    who = actor.nobody(user_name=name, request=request)
    record(Action.SIGN_IN_FAILED, kind="person", label=name, actor=who)


def _record_sign_out(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None and user.pk is not None:
        who = actor.person(user, request=request)
        record(Action.SIGNED_OUT, kind="person", object_id=user.pk, label=user, actor=who)
