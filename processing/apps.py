from typing import Any

from django.apps import AppConfig
from django.urls import reverse


class ProcessingConfig(AppConfig):
    name = "processing"

    def ready(self) -> None:
        from processing.jobs import process
        from records.jobs.registry import register
        from records.models import ProcessingBatch, ProcessingRun, Rehearsal, Source
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
            Rehearsal,
            queue="processing",
            job="processing.jobs.rule_dry_runs.DryRunRules",
        )
        PAGES["records.rehearsal"] = lambda rehearsal: reverse("rehearsal", args=[rehearsal.pk])

        def process_what_landed(source: Source, **kwargs: Any) -> None:
            process.queue_landed(source)

        landed.connect(process_what_landed, weak=False, dispatch_uid="process what landed")
