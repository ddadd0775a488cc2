"""Sources, and the versioned rules by which their records are validated and cleaned."""

from typing import Any

from django.conf import settings
from django.db import models

from records.models.fields import KeyField
from records.models.querysets import EverySourceManager, SourceManager
from records.models.visibility import VisibleManager
from web.links import HasPage
from web.names import SOURCE_NAME


class OnConflict(models.TextChoices):
    """What happens when an existing record changes: a row has its key but different data."""

    UPDATE = "update", "Update the record and keep the earlier version"
    MERGE = "merge", "Merge: update only the columns of the file"
    KEEP = "keep", "Keep the record unchanged"
    REJECT = "reject", "Keep the record unchanged and reject the row"


# By these, a row with different data gives its record a new content.
UPDATING = frozenset({OnConflict.UPDATE, OnConflict.MERGE})


class Source(HasPage, models.Model):
    """A named feed of records; it remembers its mapping."""

    name = KeyField(max_length=100, unique=True, validators=[SOURCE_NAME])
    # Role -> columns of the input: {"id": [..], "timestamp": [..], "value": [..],
    # "category": [..]}; a role without a column has an empty list. "timestamp_format" is the
    # format of the dates, "numbers" how numbers are written, by column. Without any role the next
    # input's columns tell who plays which.
    mapping = models.JSONField(default=dict, blank=True)
    # The columns of the input that the mapping was last used on, in its order.
    columns = models.JSONField(default=list, blank=True)
    # How its inputs are read where a person knows better than detection: {"encoding": ..,
    # "delimiter": .., ...}; see ingestion.parsing.dialect.
    reading = models.JSONField(default=dict, blank=True)
    on_conflict = models.CharField(
        "when an existing record changes",
        max_length=10,
        choices=OnConflict.choices,
        default=OnConflict.UPDATE,
    )
    # Whether each of its inputs holds all its records: those that are missing are closed.
    is_snapshot = models.BooleanField("each file holds all records", default=False)
    # Only drafts have it: no file has been imported into it, and nobody else knows of it.
    is_draft = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceManager()
    everything = EverySourceManager()

    class Meta:
        db_table = "sources"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def saved_settings(self) -> dict[str, Any]:
        """What people set of it, by name."""
        return {
            "mapping": self.mapping,
            "on_conflict": self.on_conflict,
            "is_snapshot": self.is_snapshot,
            "reading": self.reading,
        }

    @property
    def current_rule_set(self) -> "RuleSet | None":
        """The newest version, by which records are processed."""
        return self.rule_sets.order_by("-version").first()


class RuleSetManager(VisibleManager):
    """Reads of rule sets."""

    def newest(self) -> Any:
        """The newest version of each source: the rules that are in force."""
        versions = RuleSet.objects.filter(source=models.OuterRef("source")).order_by("-version")
        return self.filter(version=models.Subquery(versions.values("version")[:1]))


class RuleSet(models.Model):
    """One version of the rules of a source: never edited, only superseded."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="rule_sets")
    version = models.PositiveIntegerField()
    # A list of steps, each {"rule": code, ...its parameters}; see processing.rules.
    rules = models.JSONField()
    note = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # The note of versions that follow the mapping of the source.
    DEFAULT_NOTE = "Default rules for the source's mapping"

    objects = RuleSetManager()

    class Meta:
        db_table = "rule_sets"
        ordering = ["source", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["source", "version"], name="rule_set_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} v{self.version}"

    @property
    def is_default(self) -> bool:
        """Whether it was made from the mapping, and the next version follows that again."""
        return self.note == self.DEFAULT_NOTE
