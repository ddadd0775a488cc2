"""`manage.py undo`: undo an ingestion run."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ingestion.errors import IngestionError
from ingestion.loading import undo
from records.jobs.terminal import RunCommand
from records.models import IngestionRun


class Command(RunCommand):
    help = (
        "Undo an ingestion run: records that it created are deleted, records that it updated go "
        "back to their previous version, and records changed since are kept. "
        "Exit status: 0 if the run was undone, 1 if that failed, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        run = IngestionRun.objects.with_source().filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no ingestion run {options['run']}.", returncode=2)
        try:
            created = undo.create_undo(run=run, trigger="command")
        except IngestionError as error:
            raise CommandError(str(error), returncode=2) from error
        done = self.until_it_ends(created)
        if options["json"]:
            facts = {
                "run": run.pk, "source": run.source.name, "state": done.state,
                "deleted": done.deleted, "restored": done.restored, "kept": done.kept,
                "reopened": done.reopened, "closed": done.closed,
                "kept_ids": done.kept_ids, "seconds": round(done.seconds or 0, 3),
            }  # fmt: skip
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        else:
            self.stdout.write(
                f"Run {run.pk} of {run.source.name}: {done.deleted:,} deleted, "
                f"{done.restored:,} restored, {done.kept:,} kept, {done.seconds or 0:.1f} s"
            )
            if done.reopened or done.closed:
                self.stdout.write(f"  {done.reopened:,} reopened, {done.closed:,} closed again")
            for record_id in done.kept_ids[:20]:
                self.stdout.write(f"  kept because it was changed since: {record_id}")
            if done.kept > 20:
                self.stdout.write(f"  ... {done.kept:,} in total; the run's page lists more.")
        if status := self.exit_status(done):
            raise SystemExit(status)
