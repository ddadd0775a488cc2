"""Every table of the project. Rows are written by ``records.store`` alone."""

from records.models.counts import RecordCount
from records.models.heartbeats import Heartbeat
from records.models.records import DataRecord, RecordVersion, RejectedRow
from records.models.results import ProcessingResult
from records.models.runs import IngestionRun, ProcessingRun, RunState
from records.models.sources import RuleSet, Source

__all__ = [
    "DataRecord",
    "Heartbeat",
    "IngestionRun",
    "ProcessingResult",
    "ProcessingRun",
    "RecordCount",
    "RecordVersion",
    "RejectedRow",
    "RuleSet",
    "RunState",
    "Source",
]
