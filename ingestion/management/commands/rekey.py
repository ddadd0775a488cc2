"""`manage.py rekey`: give the records of a source another key."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from ingestion.errors import IngestionError
from ingestion.loading import rekey
from records.jobs.terminal import Counter, RunCommand, counting_bar
from records.models import IngestionRun, Source


class Command(RunCommand):
    help = (
        "Give the records of a source the key that other columns make. They keep their data, "
        "results and history, and later files are read by the new key. Nothing is changed if the "
        "new key is empty in a record, or repeats. `manage.py undo` takes it back. "
        "Exit status: 0 if the records have the key, 1 if they can't, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="name of the source")
        parser.add_argument(
            "--id",
            required=True,
            action="append",
            metavar="COLUMN",
            help="column of the key; repeat it for a key of several columns",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check the key without changing anything"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.named(options["source"])
        if source is None:
            raise CommandError(f"There is no source {options['source']!r}.", returncode=2)
        try:
            columns = rekey.key_of(source, options["id"])
            if options["dry_run"]:
                self.dry_run(source, columns, as_json=options["json"])
                return
            run = rekey.create_rekey(source=source, columns=columns, trigger="command")
        except IngestionError as error:
            raise CommandError(str(error), returncode=2) from error
        with counting_bar("records", enabled=not options["json"]) as bar:
            done = self.until_it_ends(run, _progress(bar))
        self.report(done, as_json=options["json"])

    def dry_run(self, source: Source, columns: list[str], *, as_json: bool) -> None:
        """Print what the key would do; exit with 1 if the records can't have it."""
        found = rekey.check_key(source, columns)
        if as_json:
            facts = {
                "dry_run": True,
                "source": source.name,
                "id": columns,
                "records": found.records,
                "changed": found.changed,
                "unusable": found.unusable,
                "repeated": found.repeated,
                "error": found.obstacle,
            }
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        elif not found.obstacle:
            named = " and ".join(map(repr, columns))
            self.stdout.write(
                f"{source} (dry run, nothing changed): {found.changed:,} of {found.records:,} "
                f"records would get another key, from {named}"
            )
        if found.obstacle:
            self.stderr.write(found.obstacle)
            raise SystemExit(1)

    def report(self, run: IngestionRun, *, as_json: bool) -> None:
        """Print what the run has done; exit with its status."""
        total = run.rekey.total
        if as_json:
            facts = {
                "run": run.pk,
                "source": run.source.name,
                "state": run.state,
                "id": run.mapping["id"],
                "records": total,
                "rekeyed": run.rekeyed,
                "kept": run.rekey.kept,
                "error": run.error,
                "seconds": round(run.seconds or 0, 3),
            }
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
        elif not run.error:
            self.stdout.write(
                f"Run {run.pk} of {run.source.name} ({run.state}): {run.rekeyed:,} of {total:,} "
                f"records have another key, {run.seconds or 0:.1f} s"
            )
            for note in run.notes:
                self.stdout.write(f"  {note}")
        if status := self.exit_status(run):
            raise SystemExit(status)


def _progress(bar: Counter) -> Callable[[IngestionRun], None]:
    """What shows the progress of a run."""
    shown = 0

    def show(run: IngestionRun) -> None:
        nonlocal shown
        bar.expect(run.rekey.total)
        bar.advance(run.rekeyed - shown)
        shown = run.rekeyed

    return show
