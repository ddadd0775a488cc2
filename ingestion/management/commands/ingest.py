"""`manage.py ingest`: import files into sources, and print the ledger of each."""

import glob
import json
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from ingestion.errors import IngestionError
from ingestion.loading import runs
from ingestion.loading.dry_runs import examine
from ingestion.loading.reject_limit import check_limit
from ingestion.loading.report_text import report_lines
from ingestion.parsing.dialect import check_reading, joined
from ingestion.parsing.mapping import column_names
from ingestion.parsing.number_format import ValueCells
from records.jobs.terminal import RunCommand, progress_bar
from records.models import IngestionRun, OnConflict, RunState
from records.number_decision import FORMATS

# The parsing options; see ingestion.parsing.dialect.
READING = {
    "encoding": ("NAME", "encoding of the files, such as utf-8"),
    "format": ("NAME", "delimited, json, ndjson, xlsx, xls, xlsb, ods, html or parquet"),
    "delimiter": ("C", "character between cells, or tab"),
    "quote": ("C", "character around cells, or none"),
    "escape": ("C", "character before a quote inside a cell, or none"),
    "header": ("ROW", "line number of the header, FIRST-LAST for several lines, or none"),
    "skip": ("N", "number of lines before the table"),
    "sheet": ("NAME", "sheet of a workbook, or * for all with the same columns"),
    "rows_path": ("PATH", "path to the rows in JSON: names or indexes, such as data.items or 1"),
}


class Command(RunCommand):
    help = (
        "Import files into sources. Exit status: 0 if every run finished, 1 if one "
        "failed, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="*", metavar="PATH",
            help=f"files, folders or globs (default: *.csv in {settings.RAW_DIR})",
        )  # fmt: skip
        parser.add_argument("--source", help="source to import into (default: the file's name)")
        for role, label in (("id", "ID"), ("timestamp", "timestamp")):
            parser.add_argument(
                f"--{role}", metavar="COL[,COL]", type=column_names, help=f"{label} columns"
            )
        for role in ("value", "category"):
            parser.add_argument(f"--{role}", metavar="COL", help=f"{role} column")
        parser.add_argument(
            "--timestamp-format", metavar="FORMAT", default="",
            help="date format: iso, unix or a pattern such as %%d/%%m/%%Y (default: the format "
            "saved with the source, else detected; required if the dates are ambiguous)",
        )  # fmt: skip
        parser.add_argument(
            "--timestamp-zone", metavar="ZONE", default="",
            help="time zone of times without an offset, such as Europe/Vienna or +01:00 (default: "
            "that of the source, else that of the installation)",
        )  # fmt: skip
        parser.add_argument(
            "--timestamp-zone-column", metavar="COL", default="",
            help="column with the time zone of each row, such as PST or Europe/Vienna",
        )  # fmt: skip
        parser.add_argument(
            "--number-format", metavar="FORMAT", default="",
            help="how the numbers of the value column are written, as one of these examples: "
            f"{'  '.join(FORMATS)} (default: the format saved with the source, else detected; "
            "required if the numbers are ambiguous)",
        )  # fmt: skip
        for name, (metavar, what) in READING.items():
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, metavar=metavar, help=f"{what} (default: detected)")
        parser.add_argument(
            "--on-conflict", choices=OnConflict.values, default="",
            help="what to do when an existing record changes, for these files and all later ones "
            "of the source: update replaces its cells, merge only those of the columns in the "
            "file, keep ignores the row, reject rejects it (default: as saved with the source, at "
            "first update)",
        )  # fmt: skip
        parser.add_argument(
            "--snapshot", action=BooleanOptionalAction, dest="is_snapshot",
            help="whether each file holds all records of its source, for these files and all later "
            "ones: records that are missing from the file are closed (default: as saved with the "
            "source, at first no)",
        )  # fmt: skip
        parser.add_argument(
            "--close-many", action="store_true",
            help="close missing records even if these are more than half of the source",
        )  # fmt: skip
        parser.add_argument(
            "--max-rejects",
            metavar="N|P%",
            default="",
            help="reject limit: stop if more rows are rejected",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="preview the import without writing anything"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per file")

    def handle(self, *args: Any, **options: Any) -> None:
        roles = {
            **{role: options[role] for role in ("id", "timestamp") if options[role]},
            **{role: [options[role]] for role in ("value", "category") if options[role]},
        }
        said = {name: options[name] for name in READING if options[name]}
        try:
            check_reading(said)
            limit = check_limit(options["max_rejects"])
            date_format = runs.check_date_format(options["timestamp_format"])
            zone = runs.check_time_zone(options["timestamp_zone"])
            number_format = runs.check_number_format(options["number_format"])
        except IngestionError as error:
            raise CommandError(str(error), returncode=2) from error
        wanted = {
            "trigger": "command",
            "source_name": options["source"],
            "roles": roles,
            "timestamp_format": date_format,
            "timestamp_zone": zone,
            "timestamp_zone_column": options["timestamp_zone_column"],
            "number_format": number_format,
            "reading": said,
            "on_conflict": options["on_conflict"],
            "is_snapshot": options["is_snapshot"],
            "closes_many": options["close_many"],
        }
        status = 0
        for path in self.files(options["paths"]):
            if options["dry_run"]:
                status = max(status, self.dry_run(path, wanted, as_json=options["json"]))
                continue
            run = self.load(path, {**wanted, "max_rejects": limit}, quiet=options["json"])
            self.report(run, as_json=options["json"])
            status = max(status, self.exit_status(run))
            if run.state == RunState.CANCELLED:
                break
        if status:
            raise SystemExit(status)

    def files(self, patterns: list[str]) -> list[Path]:
        """The files that match the patterns, each once; an error if there are none."""
        if not patterns:
            return self.expect(self.tables(settings.RAW_DIR), settings.RAW_DIR)
        found: dict[Path, None] = {}
        for pattern in patterns:
            path = Path(pattern)
            if path.is_dir():
                files = self.tables(path)
            elif path.is_file():
                files = [path]
            elif path.exists():
                raise CommandError(
                    f"{pattern} can't be read more than once. Save its content to a file and "
                    "import that.",
                    returncode=2,
                )
            else:
                files = sorted(Path(name) for name in glob.glob(pattern, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
                files = [file for file in files if file.is_file()]
            found.update(dict.fromkeys(self.expect(files, pattern)))
        return list(found)

    def tables(self, folder: Path) -> list[Path]:
        """The CSV files of a folder; the case of the extension does not matter."""
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() == ".csv")

    def expect(self, files: list[Path], place: object) -> list[Path]:
        if not files:
            raise CommandError(f"There is no file to import at {place}.", returncode=2)
        return files

    def load(self, path: Path, wanted: dict[str, Any], *, quiet: bool) -> IngestionRun:
        try:
            run = runs.create_run(path=path, file_name=path.name, **wanted)
        except IngestionError as error:
            raise CommandError(str(error), returncode=2) from error
        return self.work(run, quiet=quiet)

    def work(self, run: IngestionRun, *, quiet: bool) -> IngestionRun:
        with progress_bar(enabled=not quiet) as show:
            return self.until_it_ends(run, show)

    def dry_run(self, path: Path, wanted: dict[str, Any], *, as_json: bool) -> int:
        """Print what importing the file would do; return the exit status."""
        try:
            run = runs.create_run(path=path, file_name=path.name, save=False, **wanted)
        except IngestionError as error:
            raise CommandError(str(error), returncode=2) from error
        run.reading = joined(run.source.reading, run.reading)
        facts = {"dry_run": True, "source": run.source.name, "file": run.file_name}
        try:
            report = examine(
                run,
                on_conflict=run.source.on_conflict,
                is_snapshot=run.source.is_snapshot,
            )
        except IngestionError as error:
            if as_json:
                self.stdout.write(json.dumps({**facts, "error": str(error)}, ensure_ascii=False))
            self.stderr.write(str(error))
            return 1
        if as_json:
            self.stdout.write(json.dumps({**facts, **report}, ensure_ascii=False))
            return 0
        names = ("created", "updated", "unchanged", "rejected")
        counts = " + ".join(f"{report[name]:,} {name}" for name in names)
        self.stdout.write(
            f"{run.file_name} -> {run.source.name} (dry run, nothing imported): "
            f"{report['read']:,} read = {counts}"
        )
        for line in report_lines(report):
            self.stdout.write(f"  {line}")
        self.warn(report["value_cells"])
        return 0

    def report(self, run: IngestionRun, *, as_json: bool) -> None:
        ledger = {
            name: getattr(run, name)
            for name in ("read", "created", "updated", "unchanged", "rejected")
        }
        if as_json:
            facts = {
                "run": run.pk,
                "source": run.source.name,
                "file": run.file_name,
                "state": run.state,
                **ledger,
                "closed": run.closed,
                "reopened": run.reopened,
                "seconds": round(run.seconds or 0, 3),
            }
            if run.value_cells.get("unread"):
                facts["value_cells"] = run.value_cells
            if run.error:
                facts["error"] = run.error
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            for note in run.notes:
                self.stderr.write(f"{run.file_name}: {note}")
            return
        counts = " + ".join(f"{ledger[name]:,} {name}" for name in list(ledger)[1:])
        self.stdout.write(
            f"{run.file_name} -> {run.source.name} (run {run.pk}, {run.state}): "
            f"{run.read:,} read = {counts}, {run.seconds or 0:.1f} s"
        )
        for note in run.notes:
            self.stdout.write(f"  {note}")
        self.warn(run.value_cells)

    def warn(self, value_cells: dict[str, Any]) -> None:
        """Say in red what of the value column can't be read, if it is too much."""
        cells = ValueCells.from_json(value_cells)
        if cells is not None and cells.is_bad:
            self.stdout.write(self.style.ERROR(f"  {cells.warning()}"))
