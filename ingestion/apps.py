from typing import Any

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        from records.jobs.registry import register
        from records.models import DryRun, Feed, IngestionRun, RowsFrom, Undo
        from records.signals import ended

        register(
            "load_file",
            IngestionRun,
            queue="ingestion",
            job="ingestion.loading.load_file.LoadFile",
            when=lambda run: run.rows_from == RowsFrom.FILE,
        )
        register(
            "fetch_api",
            IngestionRun,
            queue="ingestion",
            job="ingestion.feeds.jobs.FetchAPI",
            when=lambda run: run.rows_from == RowsFrom.API,
        )
        register(
            "replay",
            IngestionRun,
            queue="ingestion",
            job="ingestion.loading.replay.Replay",
            when=lambda run: run.rows_from == RowsFrom.REJECTED,
        )
        register(
            "end_events",
            IngestionRun,
            queue="ingestion",
            job="ingestion.events.runs.EndEvents",
            when=lambda run: run.rows_from == RowsFrom.EVENTS,
        )
        register(
            "rekey",
            IngestionRun,
            queue="ingestion",
            job="ingestion.loading.rekey.RekeyRecords",
            when=lambda run: run.rows_from == RowsFrom.RECORDS,
        )
        register(
            "look_into_folder", Feed, queue="ingestion", job="ingestion.feeds.jobs.LookIntoFolder"
        )
        register(
            "dry_run_file", DryRun, queue="ingestion", job="ingestion.loading.dry_runs.DryRunFile"
        )
        register("undo", Undo, queue="ingestion", job="ingestion.loading.undo.UndoRun")

        def issue_receipt(run: IngestionRun | Undo, **kwargs: Any) -> None:
            from ingestion.receipts.issue import issue

            issue(run)

        for model in (IngestionRun, Undo):
            ended.connect(issue_receipt, sender=model, weak=False, dispatch_uid="issue a receipt")
