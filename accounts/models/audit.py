"""The audit log: who did what, when and from where. Entries are appended and never changed."""

import json
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from django.db import models
from django.db.models import Model

from accounts.audit_actions import Action
from web.links import HasPage


class EntryIsFinal(TypeError):
    """Something tried to write to the audit log past ``accounts.audit.record``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            "Entries of the audit log are appended by accounts.audit.record. They can't be changed "
            "or deleted."
        )


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise EntryIsFinal


class ChangedField(NamedTuple):
    """A field before and after a change; a value that was not there is None."""

    name: str
    was_there: bool
    before: Any
    is_there: bool
    after: Any


class EntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads of the audit log."""

    create = update = delete = bulk_create = bulk_update = _refuse
    get_or_create = update_or_create = _raw_delete = _refuse

    def last_entry(self) -> "AuditEntry | None":
        """The newest entry."""
        return self.order_by("-number").first()

    def by(self, person: str) -> "EntryQuerySet":
        """The entries of a person, a command's user or a name that was tried."""
        return self.filter(user_name=person)

    def between(self, since: datetime | None, until: datetime | None) -> "EntryQuerySet":
        """The entries from a moment on, and before another one."""
        entries = self if since is None else self.filter(at__gte=since)
        return entries if until is None else entries.filter(at__lt=until)


class AuditEntry(HasPage, models.Model):
    """One thing that was done. It refers to no other table, so it outlives what it tells of."""

    class By(models.TextChoices):
        """Who acted."""

        PERSON = "person", "Person"
        NOBODY = "nobody", "Not signed in"
        COMMAND = "command", "Command"
        WORKER = "worker", "Worker"

    # Runs without gaps, in the order of the chain.
    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField("time", help_text="by the clock of the database")
    by = models.CharField(max_length=10, choices=By.choices)
    user_id = models.BigIntegerField(null=True)
    user_name = models.CharField("person", max_length=200)
    token = models.CharField(max_length=25, help_text="public part of the API token, if any")
    address = models.CharField(max_length=45, help_text="of the client")
    # A code of accounts.audit_actions.
    action = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=300)
    object_label = models.CharField(max_length=300)
    source = models.CharField(max_length=100, help_text="name of the source, if any")
    # Canonical JSON (see accounts.audit.chain) of the changed fields; no column type of a database
    # gives back exactly the text that was digested.
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    request_id = models.CharField(max_length=32)
    request = models.CharField(max_length=200, help_text="method and route, or the command")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the entry and the one before")

    objects = EntryQuerySet.as_manager()

    class Meta:
        db_table = "audit_entries"
        ordering = ["number"]
        default_permissions = ("view",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["at"], name="audit_time"),
            models.Index(fields=["user_name", "number"], name="audit_person"),
            models.Index(fields=["action", "number"], name="audit_action"),
            models.Index(fields=["source", "number"], name="audit_source"),
        ]

    def __str__(self) -> str:
        return f"entry {self.number}"

    # Only accounts.audit.entries inserts, past this.
    save = delete = _refuse

    def insert(self) -> None:
        """Add the entry behind the last one. To be called by ``accounts.audit.record`` only."""
        Model.save(self, force_insert=True)

    @property
    def action_label(self) -> str:
        """What was done, in words; the code of an action that is no longer known."""
        return Action(self.action).label if self.action in Action.values else self.action

    @property
    def object(self) -> str:
        """What was changed, in words."""
        words = f"{self.object_kind} {self.object_id}".strip()
        if self.object_label in ("", self.object_id, words):
            return words
        return f"{words} ({self.object_label})" if self.object_id else self.object_label

    @property
    def changes(self) -> list["ChangedField"]:
        """The changed fields, as far as the entry tells of them."""
        before, after = (json.loads(text) if text else {} for text in (self.before, self.after))
        return [
            ChangedField(name, name in before, before.get(name), name in after, after.get(name))
            for name in {**before, **after}
        ]

    @property
    def who(self) -> str:
        """Who acted, in words."""
        if self.by == self.By.PERSON:
            return self.user_name
        kind = self.get_by_display()
        return f"{kind} ({self.user_name})" if self.user_name else kind
