"""Runs that import one input into one source, and what is done about them."""

from enum import StrEnum, auto

from django.db import models
from django.db.models import F, Q

from records.models.feeds import Feed
from records.models.runs import Run, RunState
from records.models.sources import Source
from web.links import HasPage

# What starts a run whose rows are events.
EVENTS = "events"


class RowsFrom(StrEnum):
    """Where the rows of an ingestion run come from."""

    FILE = auto()
    API = auto()
    # The rejected rows of its parent: a replay.
    REJECTED = auto()
    # Requests with events, as long as they come.
    EVENTS = auto()
    # The records of the source, which get another key.
    RECORDS = auto()


class IngestionRun(HasPage, Run):
    """One loading of one input into one source, with its ledger."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="ingestion_runs")
    file_name = models.CharField(max_length=255)
    path = models.CharField(max_length=1000)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="bytes")
    encoding = models.CharField(max_length=40, blank=True)
    dialect = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    bytes_read = models.PositiveBigIntegerField(default=0)
    # What the user said about how to read it; the source's own where it is empty.
    reading = models.JSONField(default=dict, blank=True)
    # "500" or "2%": with more rejected rows the run stops.
    max_rejects = models.CharField(max_length=20, blank=True)
    # A replay retries rejected rows of its parent: those in ``selection`` (ids, or a reject
    # code), else all that are open but those that are no data; or, if it has a file, the rows
    # that were repaired in that.
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="replays"
    )
    selection = models.JSONField(null=True, blank=True)
    feed = models.ForeignKey(
        Feed, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    # The pages that were fetched from an API: [{"url": .., "rows": ..}, ...].
    pages = models.JSONField(default=list, blank=True)
    # Why the input ends before its end: the run fails once everything before that has landed.
    cut_short = models.TextField(blank=True)
    # What of the value column can't be read: {"column": .., "filled": .., "unread": ..,
    # "examples": [[line, cell], ..]}; see ingestion.parsing.number_format.
    value_cells = models.JSONField(default=dict, blank=True)
    # Whether its input holds all records of the source, so that it closes those that are missing;
    # also if these are more than half of them.
    is_snapshot = models.BooleanField(default=False)
    closes_many = models.BooleanField(default=False)
    # How many rejected rows may be rows of any record, as their key can't be read.
    unknown_keys = models.PositiveBigIntegerField(default=0)
    # The id up to which missing records have been closed; "" before the first.
    closing_cursor = models.CharField(max_length=255, blank=True)
    # Whether it reads no input, and gives the records of its source the key of its mapping.
    is_rekey = models.BooleanField(default=False)
    # Whether its rows are items of a request, whose sender is told what has become of each.
    keeps_outcomes = models.BooleanField(default=False)
    # What is done for it before there are bytes and rows to count, as a sentence.
    activity = models.TextField(blank=True)

    read = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0)
    updated = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    # Beside the ledger: records that were missing, and closed ones that came again.
    closed = models.PositiveBigIntegerField(default=0)
    reopened = models.PositiveBigIntegerField(default=0)
    rekeyed = models.PositiveBigIntegerField(default=0, help_text="records with another key")

    class Meta(Run.Meta):
        db_table = "ingestion_runs"
        permissions = [("undo_ingestionrun", "Can undo ingestion run")]
        constraints = [
            models.CheckConstraint(
                condition=Q(read=F("created") + F("updated") + F("unchanged") + F("rejected")),
                name="ledger_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="ingestion_run_state"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.file_name}"

    def hold_source(self) -> None:
        list(Source.everything.select_for_update().filter(pk=self.source_id))

    @property
    def landed_nothing(self) -> bool:
        """Whether it went through its input to the end, and could use no row of it."""
        return self.state == RunState.FINISHED and 0 < self.read == self.rejected

    @property
    def known_size(self) -> int | None:
        """How many bytes its input has; None before anybody knows."""
        return self.size if self.path or self.size else None

    @property
    def doing(self) -> str:
        """What is done for it now, as a person reads it; "" once it has ended."""
        if not self.is_held:
            return self.waiting
        if self.is_rekey:
            return "Giving records the new key" if self.rekeyed else "Checking the new key"
        if self.closing_cursor:
            return "Closing missing records"
        if self.trigger == EVENTS:
            return "Receiving events"
        if not (self.path or self.parent_id):
            return self.activity or "Fetching"
        return f"{'Reading' if self.columns else 'Inspecting'} {self.file_name}"

    @property
    def rows_from(self) -> "RowsFrom":
        """Where the rows come from; this decides which job loads them."""
        if self.is_rekey:
            return RowsFrom.RECORDS
        if self.trigger == EVENTS:
            return RowsFrom.EVENTS
        if self.pages or (self.feed_id and not self.path):
            return RowsFrom.API
        return RowsFrom.REJECTED if self.parent_id and not self.path else RowsFrom.FILE

    @property
    def takes_events(self) -> bool:
        """Whether it is open for events; it ends as soon as anything else is done with it."""
        return self.trigger == EVENTS and self.state == RunState.RUNNING

    @property
    def has_events(self) -> bool:
        """Whether its rows are events, or those of its parent are."""
        return EVENTS in (self.trigger, self.parent.trigger if self.parent else "")

    @property
    def done(self) -> int:
        """How many rows have been worked on."""
        return self.read

    def drop_parts(self) -> None:
        self.snapshot_keys.all().delete()

    @property
    def share_read(self) -> float:
        """How much of the input has been read, 0 to 1."""
        if self.state == RunState.FINISHED:
            return 1.0
        return min(self.bytes_read / self.size, 1.0) if self.size else 0.0

    @property
    def share_rejected(self) -> float:
        """The part of ``share_read`` that was rejected, as its rows are to all rows read."""
        return self.share_read * self.rejected / self.read if self.read else 0.0

    @property
    def share_landed(self) -> float:
        """The part of ``share_read`` that was not rejected."""
        return self.share_read - self.share_rejected

    @property
    def rate(self) -> float | None:
        """Rows a second; None before the first have been read."""
        return self.read / self.elapsed if self.read and self.elapsed else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far, by bytes; None when nobody can tell."""
        if self.state != RunState.RUNNING or not (self.bytes_read and self.elapsed):
            return None
        return max(self.size - self.bytes_read, 0) * self.elapsed / self.bytes_read


class DryRun(Run):
    """One reading of the input of a draft that lands nothing: what would happen, and a profile.

    ``report`` is what ingestion.loading.dry_runs makes of it.
    """

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="dry_runs")
    bytes_read = models.PositiveBigIntegerField(default=0)
    read = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)

    is_trial = True

    class Meta(Run.Meta):
        db_table = "dry_runs"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="dry_run_state"),
        ]

    def __str__(self) -> str:
        return f"dry run {self.pk} of {self.run}"


class Undo(Run):
    """The taking back of an ingestion run: a piece of work like a run, resumable like one."""

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="undos")
    cursor = models.CharField(max_length=255, blank=True)
    deleted = models.PositiveBigIntegerField(default=0, help_text="records that the run created")
    restored = models.PositiveBigIntegerField(default=0, help_text="records that the run updated")
    kept = models.PositiveBigIntegerField(
        default=0, help_text="records changed later by another run or a user"
    )
    reopened = models.PositiveBigIntegerField(default=0, help_text="records that the run closed")
    closed = models.PositiveBigIntegerField(default=0, help_text="records that the run reopened")
    # The first of the kept ones, by id.
    kept_ids = models.JSONField(default=list, blank=True)

    class Meta(Run.Meta):
        db_table = "undos"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="undo_state"),
        ]

    def __str__(self) -> str:
        return f"undo of {self.run}"

    def hold_source(self) -> None:
        self.run.hold_source()
