"""Reads metrics from counters and from the tables of runs; no record and no result is counted."""

import logging
import shutil
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count, Q, Sum

from explore.metrics.freshness import freshness
from explore.metrics.run_speed import speed
from operations.models import Backup
from operations.queues import queue_states
from records.models import IngestionRun, ProcessingRun, RecordCount, RejectedRow
from records.visible_sources import limited_to

log = logging.getLogger(__name__)

OUTCOMES = ("created", "updated", "unchanged", "rejected")
RESULTS = ("processed", "failed", "unchanged")


class Sample(NamedTuple):
    """A number of a metric, with the values of its labels in their order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


def read_metrics() -> list[Sample]:
    """Everything there is to read; little, where the database does not answer."""
    found = [Sample("dataflow_info", 1, (settings.VERSION,)), *_disks()]
    try:
        with limited_to(None):
            of_database = [*_rows(), *_results(), *_queues(), *_work(), *_sources(), *_backups()]
    except Error:
        log.exception("Metrics can't be read from the database.")
        connection.close()
        return [*found, Sample("dataflow_database_up", 0)]
    return [*found, Sample("dataflow_database_up", 1), *of_database]


def _disks() -> Iterator[Sample]:
    for name, folder in (("var", settings.VAR_DIR), ("inputs", settings.INPUT_DIR)):
        if folder.exists():
            yield Sample("dataflow_disk_free_bytes", shutil.disk_usage(folder).free, (name,))


def _rows() -> Iterator[Sample]:
    sums = {name: Sum(name) for name in OUTCOMES}
    standing = Sum("rejected", filter=~Q(state="undone"), default=0)
    runs = IngestionRun.objects.filter(source__is_draft=False).order_by()
    # Few rows are fixed, and these have an index; to count those that are open reads them all.
    fixed = RejectedRow.objects.exclude(resolved_by=None).exclude(run__state="undone").order_by()
    fixed_of = dict(fixed.values_list("run__source__name").annotate(rows=Count("pk")))
    for row in runs.values("source__name").annotate(standing=standing, **sums):
        source = row["source__name"]
        for outcome in OUTCOMES:
            yield Sample("dataflow_rows_total", row[outcome], (source, outcome))
        left = row["standing"] - fixed_of.get(source, 0)
        yield Sample("dataflow_rejected_rows_open", left, (source,))
    for row in RecordCount.objects.all().per_status("source"):
        yield Sample("dataflow_records", row["records"], (row["source"], row["status"]))


def _results() -> Iterator[Sample]:
    sums = {f"n_{name}": Sum(name) for name in (*RESULTS, "repaired")}
    for row in ProcessingRun.objects.order_by().values("source__name").annotate(**sums):
        source = row["source__name"] or ""
        for outcome in RESULTS:
            yield Sample("dataflow_results_total", row[f"n_{outcome}"], (source, outcome))
        yield Sample("dataflow_repaired_records_total", row["n_repaired"], (source,))


def _queues() -> Iterator[Sample]:
    for queue in queue_states():
        labels = (queue.name,)
        yield Sample("dataflow_runs_queued", queue.queued, labels)
        yield Sample("dataflow_runs_running", queue.running, labels)
        yield Sample("dataflow_runs_interrupted", queue.interrupted, labels)
        yield Sample("dataflow_oldest_queued_run_seconds", queue.waited_seconds, labels)
        yield Sample("dataflow_worker_up", queue.has_worker, labels)


def _work() -> Iterator[Sample]:
    for each in speed():
        work = each.kind.lower().replace(" ", "_")
        yield Sample("dataflow_run_duration_seconds", each.seconds, (work, "0.5"))
        yield Sample("dataflow_run_duration_seconds", each.seconds_p95, (work, "0.95"))
        yield Sample("dataflow_run_items_per_second", each.per_second, (work,))


def _sources() -> Iterator[Sample]:
    for each in freshness():
        labels = (each.source,)
        if each.last is not None:
            last = each.last.timestamp()
            yield Sample("dataflow_source_last_import_timestamp_seconds", last, labels)
        yield Sample("dataflow_source_late", each.is_late or each.due is not None, labels)
        yield Sample("dataflow_source_failing", each.failing is not None, labels)


def _backups() -> Iterator[Sample]:
    if (last := Backup.objects.order_by("-finished_at").first()) is None:
        return
    yield Sample("dataflow_backup_failed", bool(last.error))
    if made := Backup.objects.newest():
        finished = made.finished_at.timestamp()
        yield Sample("dataflow_backup_last_success_timestamp_seconds", finished)
        yield Sample("dataflow_backup_last_bytes", made.bytes)
        yield Sample("dataflow_backup_last_seconds", made.seconds)
    if verified := Backup.objects.last_verified():
        name = "dataflow_backup_last_verified_timestamp_seconds"
        yield Sample(name, verified.timestamp())
