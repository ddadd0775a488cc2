from typing import Any

from django.apps import AppConfig
from django.urls import reverse


class ProcessingConfig(AppConfig):
    name = "processing"

    def ready(self) -> None:
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

            queue_landed(source)

        landed.connect(process_what_landed, weak=False, dispatch_uid="process what landed")
