from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.db import transaction
from django.urls import reverse

if TYPE_CHECKING:
    from records.changes import Change


# Changes by hand that others may have looked up.
OF_CONTENT = ("record.edited", "records.edited", "records.deleted")


def _follow_changes(change: "Change") -> None:
    from processing.lookups import queue_followers

    if change.action not in OF_CONTENT:
        return
    # A change of records of several sources names none, but their ids.
    ids = (change.before or {}).get("ids", ())
    sources = {change.source} if change.source else {each.partition(":")[0] for each in ids}
    for name in sorted(sources):
        transaction.on_commit(partial(queue_followers, name))


class ProcessingConfig(AppConfig):
    name = "processing"

    def ready(self) -> None:
        from records.changes import listen
        from records.jobs.registry import register
        from records.models import ProcessingBatch, ProcessingRun, RuleDryRun, Source
        from records.signals import landed
        from web.links import PAGES

        register(
            "process",
            ProcessingRun,
            queue="processing",
            job="processing.jobs.process.Process",
            parts=ProcessingBatch,
        )
        register(
            "dry_run_rules",
            RuleDryRun,
            queue="processing",
            job="processing.jobs.rule_dry_runs.DryRunRules",
        )
        PAGES["records.ruledryrun"] = lambda dry_run: reverse("rule-dry-run", args=[dry_run.pk])

        def process_what_landed(source: Source, **kwargs: Any) -> None:
            from processing.jobs.process import queue_landed
            from processing.lookups import queue_followers

            queue_landed(source)
            queue_followers(source.name)

        landed.connect(process_what_landed, weak=False, dispatch_uid="process what landed")
        listen(_follow_changes)
