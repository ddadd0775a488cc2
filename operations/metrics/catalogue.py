"""All metrics: their names, kinds and meanings. The reference, alerts and dashboards follow it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; ``labels`` are the labels that each of its samples has."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    labels: tuple[str, ...] = ()


_ALL = (
    Metric("dataflow_info", "gauge", "1, with the version of the application.", ("version",)),
    Metric("dataflow_database_up", "gauge", "Whether the database answers."),
    Metric("dataflow_disk_free_bytes", "gauge", "Free bytes of the disk of a folder.", ("folder",)),
    Metric(
        "dataflow_rows_total",
        "counter",
        "Rows that ingestion runs read, by outcome: created, updated, unchanged, rejected.",
        ("source", "outcome"),
    ),
    Metric(
        "dataflow_results_total",
        "counter",
        "Records that processing runs worked on, by outcome: processed, failed, unchanged; "
        "the source is empty for runs over all sources.",
        ("source", "outcome"),
    ),
    Metric(
        "dataflow_repaired_records_total",
        "counter",
        "Records that processing runs repaired; the source is empty for runs over all sources.",
        ("source",),
    ),
    Metric(
        "dataflow_records",
        "gauge",
        "Records by status: raw, processing, processed, failed, closed.",
        ("source", "status"),
    ),
    Metric(
        "dataflow_rejected_rows_open", "gauge", "Rejected rows that nobody has fixed.", ("source",)
    ),
    Metric("dataflow_runs_queued", "gauge", "Runs that wait for a worker or a retry.", ("queue",)),
    Metric("dataflow_runs_running", "gauge", "Runs that are being worked on.", ("queue",)),
    Metric(
        "dataflow_runs_interrupted",
        "gauge",
        "Runs whose worker is gone, and that another has yet to take over.",
        ("queue",),
    ),
    Metric(
        "dataflow_oldest_queued_run_seconds",
        "gauge",
        "How long the oldest queued run has waited; 0 if none waits.",
        ("queue",),
    ),
    Metric("dataflow_worker_up", "gauge", "Whether a queue has a living worker.", ("queue",)),
    Metric(
        "dataflow_run_duration_seconds",
        "gauge",
        "How long the last 200 finished runs took: median (0.5) and 95th percentile (0.95).",
        ("work", "quantile"),
    ),
    Metric(
        "dataflow_run_items_per_second",
        "gauge",
        "Rows read, or records processed, a second by the last 200 finished runs.",
        ("work",),
    ),
    Metric(
        "dataflow_source_last_import_timestamp_seconds",
        "gauge",
        "When a run of the source last finished.",
        ("source",),
    ),
    Metric(
        "dataflow_source_late",
        "gauge",
        "Whether a source is late for its usual rhythm, or its automatic import is overdue.",
        ("source",),
    ),
    Metric("dataflow_source_failing", "gauge", "Whether the last run failed.", ("source",)),
    Metric(
        "dataflow_backup_last_success_timestamp_seconds",
        "gauge",
        "When the newest backup was complete; missing if there is none.",
    ),
    Metric("dataflow_backup_last_bytes", "gauge", "Size of the newest backup."),
    Metric("dataflow_backup_last_seconds", "gauge", "How long the newest backup took."),
    Metric(
        "dataflow_backup_last_verified_timestamp_seconds",
        "gauge",
        "When a backup was last verified without an error; missing if none was.",
    ),
    Metric("dataflow_backup_failed", "gauge", "Whether the last attempt at a backup failed."),
)
METRICS = {metric.name: metric for metric in _ALL}
