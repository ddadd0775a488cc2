"""Tables whose every change is entered into the audit log, whoever makes it.

These are tables of libraries, and those that people change in several ways. What is done past the
models (``QuerySet.update``, ``bulk_create``) is not noticed: nothing here may be changed like that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from allauth.idp.oidc.models import Client
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.db.models.query import QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from accounts.audit.entries import record
from accounts.audit_actions import Action
from accounts.models import ApiToken, SourceGrant
from records.models import (
    Dashboard,
    DataRecord,
    RuleSet,
    SavedQuestion,
    SavedView,
    ShareLink,
    Source,
)

BEFORE = "_audited_before"
_is_watching: ContextVar[bool] = ContextVar("is_watching", default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A table: the actions of its entries, and the columns that they show."""

    kind: str
    created: Action
    changed: Action
    deleted: Action
    fields: tuple[str, ...]
    # The column of a moment: an object that gets one has ended, and stays in the table.
    ended_by: str = ""
    label: Callable[[Any], str] = str
    # The column of the password: that it was set is an action of its own.
    credential: str = ""


WATCHED: Mapping[type[Model], Watched] = {
    User: Watched(
        kind="person",
        created=Action.PERSON_CREATED,
        changed=Action.PERSON_CHANGED,
        deleted=Action.PERSON_DELETED,
        fields=(
            "username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser",
        ),
        credential="password",
    ),
    Group: Watched(
        kind="role",
        created=Action.ROLE_CREATED,
        changed=Action.ROLE_CHANGED,
        deleted=Action.ROLE_DELETED,
        fields=("name",),
    ),
    ApiToken: Watched(
        kind="API token",
        created=Action.TOKEN_CREATED,
        changed=Action.TOKEN_CHANGED,
        deleted=Action.TOKEN_REVOKED,
        fields=("owner", "name", "kind", "scope", "sources", "expires_at", "revoked_at"),
        ended_by="revoked_at",
    ),
    Client: Watched(
        kind="OAuth client",
        created=Action.CLIENT_CREATED,
        changed=Action.CLIENT_CHANGED,
        deleted=Action.CLIENT_REVOKED,
        fields=("owner", "name", "type", "grant_types", "scopes", "redirect_uris", "data"),
        label=lambda client: client.name,
    ),
    Authenticator: Watched(
        kind="second factor",
        created=Action.SECOND_FACTOR_ADDED,
        changed=Action.SECOND_FACTOR_CHANGED,
        deleted=Action.SECOND_FACTOR_REMOVED,
        fields=("user", "type"),
        label=lambda factor: f"{factor.type} of {factor.user}",
    ),
    SocialAccount: Watched(
        kind="login of a provider",
        created=Action.IDENTITY_ADDED,
        changed=Action.IDENTITY_CHANGED,
        deleted=Action.IDENTITY_REMOVED,
        fields=("user", "provider", "uid"),
        label=lambda account: f"{account.provider} of {account.user}",
    ),
    SourceGrant: Watched(
        kind="source grant",
        created=Action.GRANT_GIVEN,
        changed=Action.GRANT_CHANGED,
        deleted=Action.GRANT_TAKEN,
        fields=("user", "group", "source"),
    ),
    SavedView: Watched(
        kind="saved view",
        created=Action.VIEW_SAVED,
        changed=Action.VIEW_SAVED,
        deleted=Action.VIEW_REMOVED,
        fields=("user", "name", "query"),
    ),
    SavedQuestion: Watched(
        kind="saved question",
        created=Action.QUESTION_SAVED,
        changed=Action.QUESTION_SAVED,
        deleted=Action.QUESTION_DELETED,
        fields=("owner", "name", "audience", "group", "query"),
    ),
    Dashboard: Watched(
        kind="dashboard",
        created=Action.DASHBOARD_SAVED,
        changed=Action.DASHBOARD_SAVED,
        deleted=Action.DASHBOARD_DELETED,
        fields=("owner", "name", "audience", "group", "query", "tiles"),
    ),
    ShareLink: Watched(
        kind="share link",
        created=Action.SHARE_LINK_CREATED,
        changed=Action.SHARE_LINK_CHANGED,
        deleted=Action.SHARE_LINK_REVOKED,
        fields=("maker", "question", "dashboard", "expires_at", "revoked_at"),
        ended_by="revoked_at",
    ),
}  # fmt: skip

# Tables of pairs: who or what is given which of these, by the field that has them.
GIVEN: Mapping[type[Model], tuple[str, Action, Action]] = {
    User.groups.through: ("roles", Action.ROLE_GIVEN, Action.ROLE_TAKEN),
    User.user_permissions.through: (
        "permissions", Action.PERMISSION_GIVEN, Action.PERMISSION_TAKEN,
    ),
    Group.permissions.through: ("permissions", Action.PERMISSION_GIVEN, Action.PERMISSION_TAKEN),
}  # fmt: skip


@contextmanager
def unwatched() -> Iterator[None]:
    """Enter nothing while the block lasts: for what `migrate` does, before there is a log."""
    token = _is_watching.set(False)
    try:
        yield
    finally:
        _is_watching.reset(token)


def has_own_entries(model: type[Model]) -> bool:
    """Whether changes of a table are entered where they happen: here, or by what changes it."""
    return model in WATCHED or model in (DataRecord, RuleSet, Source)


def watch() -> None:
    """Enter the changes of these tables from now on."""
    for model in WATCHED:
        pre_save.connect(_remember, sender=model, dispatch_uid="audit")
        post_save.connect(_record_save, sender=model, dispatch_uid="audit")
        post_delete.connect(_record_deletion, sender=model, dispatch_uid="audit")
    for pairs in GIVEN:
        m2m_changed.connect(_record_pairs, sender=pairs, dispatch_uid="audit")


def _remember(sender: type[Model], instance: Any, update_fields: Any, **kwargs: Any) -> None:
    """Keep with the object what the table has of it before it is saved."""
    watched = WATCHED[sender]
    names = [*watched.fields, *filter(None, [watched.credential])]
    shown = names if update_fields is None else [name for name in names if name in update_fields]
    stored = None
    if shown and not instance._state.adding:
        stored = sender._base_manager.filter(pk=instance.pk).values(*shown).first()
    instance.__dict__[BEFORE] = stored


def _record_save(sender: type[Model], instance: Any, created: bool, **kwargs: Any) -> None:
    watched = WATCHED[sender]
    before = instance.__dict__.pop(BEFORE, None)
    if created:
        _record(watched, watched.created, instance, after=_values(instance, watched.fields))
    elif before:
        after = _values(instance, before)
        was, is_now = (
            (
                {watched.credential: before.pop(watched.credential)},
                {watched.credential: after.pop(watched.credential)},
            )
            if watched.credential in before
            else ({}, {})
        )
        if before != after:
            has_ended = bool(after.get(watched.ended_by)) and not before.get(watched.ended_by)
            action = watched.deleted if has_ended else watched.changed
            _record(watched, action, instance, before=before, after=after)
        if was != is_now and not _is_same_password(instance, kwargs.get("update_fields")):
            _record(watched, Action.PASSWORD_CHANGED, instance)


def _is_same_password(user: Any, update_fields: Any) -> bool:
    """Whether a new hash is that of the same password: Django saves one, by itself, when a person
    signs in whose hash is of an older kind."""
    is_alone = update_fields is not None and set(update_fields) == {"password"}
    return is_alone and user._password is None and user.has_usable_password()


def _record_deletion(sender: type[Model], instance: Any, origin: Any, **kwargs: Any) -> None:
    if (origin.model if isinstance(origin, QuerySet) else type(origin)) is not sender:
        return  # it goes with what was deleted, which has its own entry
    watched = WATCHED[sender]
    _record(watched, watched.deleted, instance, before=_values(instance, watched.fields))


def _record_pairs(
    sender: type[Model],
    instance: Any,
    action: str,
    reverse: bool,
    model: type[Model],
    pk_set: set[Any] | None,
    **kwargs: Any,
) -> None:
    what, given, taken = GIVEN[sender]
    if action == "pre_clear":
        others = list(_related(sender, instance, reverse))
        is_given = False
    elif action in ("post_add", "post_remove"):
        others = list(model._default_manager.filter(pk__in=pk_set or ()))
        is_given = action == "post_add"
    else:
        return
    # From the other side: several people are given the same role.
    pairs = [(other, [instance]) for other in others] if reverse else [(instance, others)]
    for owner, things in pairs:
        names = {what: sorted(map(str, things))}
        if things:
            _record(
                WATCHED[type(owner)],
                given if is_given else taken,
                owner,
                before=None if is_given else names,
                after=names if is_given else None,
            )


def _related(pairs: type[Model], instance: Any, reverse: bool) -> Iterable[Any]:
    """What an object is paired with, before all of that is taken from it."""
    for field in (*instance._meta.many_to_many, *instance._meta.related_objects):
        if getattr(field, "through", None) is pairs or (
            getattr(getattr(field, "remote_field", None), "through", None) is pairs
        ):
            name = field.get_accessor_name() if reverse else field.name
            found: Iterable[Any] = getattr(instance, name).all()
            return found
    raise LookupError(pairs)


def _record(watched: Watched, action: Action, row: Any, **changes: Any) -> None:
    if not _is_watching.get():
        return
    record(action, kind=watched.kind, object_id=row.pk, label=watched.label(row), **changes)


def _values(row: Any, names: Any) -> dict[str, Any]:
    """Columns as ``values`` gives them: of a relation, the key."""
    return {name: getattr(row, row._meta.get_field(name).attname) for name in names}
