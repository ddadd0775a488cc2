"""Every table of the project. Rows are written by ``records.store`` alone."""

from records.models.batches import ProcessingBatch
from records.models.closings import RecordClosing, SnapshotKey
from records.models.columns import ColumnChange, ColumnFold, ColumnSegment
from records.models.counts import RecordCount, ValueCount
from records.models.exports import Export, ExportSlot
from records.models.facts import ProcessingFacts
from records.models.feeds import Feed, FolderFile
from records.models.heartbeats import Heartbeat
from records.models.ingestion_runs import EVENTS, DryRun, IngestionRun, RowsFrom, Undo
from records.models.keys import RecordKey, Rekey
from records.models.processing_runs import ProcessingRun, RuleDryRun, Selection
from records.models.receipts import Receipt
from records.models.records import DataRecord, RecordVersion, RejectedRow
from records.models.requests import IdempotencyKey, RowOutcomes
from records.models.results import ProcessingResult
from records.models.runs import Run, RunState
from records.models.share_links import ShareLink
from records.models.sharing import Audience, Dashboard, FirstPage, SavedQuestion
from records.models.sources import UPDATING, OnConflict, RuleSet, Source
from records.models.texts import RecordText, TextChange
from records.models.views import SavedView

__all__ = [
    "EVENTS",
    "UPDATING",
    "Audience",
    "ColumnChange",
    "ColumnFold",
    "ColumnSegment",
    "Dashboard",
    "DataRecord",
    "DryRun",
    "Export",
    "ExportSlot",
    "Feed",
    "FirstPage",
    "FolderFile",
    "Heartbeat",
    "IdempotencyKey",
    "IngestionRun",
    "OnConflict",
    "ProcessingBatch",
    "ProcessingFacts",
    "ProcessingResult",
    "ProcessingRun",
    "Receipt",
    "RecordClosing",
    "RecordCount",
    "RecordKey",
    "RecordText",
    "RecordVersion",
    "RejectedRow",
    "Rekey",
    "RowOutcomes",
    "RowsFrom",
    "RuleDryRun",
    "RuleSet",
    "Run",
    "RunState",
    "SavedQuestion",
    "SavedView",
    "Selection",
    "ShareLink",
    "SnapshotKey",
    "Source",
    "TextChange",
    "Undo",
    "ValueCount",
]
