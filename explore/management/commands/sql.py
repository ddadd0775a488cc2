"""`manage.py sql`: run a statement in SQL about the records."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from explore.columns.schema import distinct
from explore.sql.answer import NoResult, Result, result
from explore.sql.files import as_csv, as_parquet, cell_text
from records.jobs.terminal import RunCommand
from web.control_chars import escape_control_chars

FORMATS = ("table", "json", "csv", "parquet")


class Command(RunCommand):
    help = (
        "Run one SELECT statement about the records, in the SQL of DuckDB. Each source is a table. "
        "Exit status: 0 on success, 1 if there is no result, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("statement", help="the statement")
        parser.add_argument(
            "--format", choices=FORMATS, default="table",
            help="what to print: a table, a JSON object a line, CSV or Parquet",
        )  # fmt: skip
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="write CSV or Parquet to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind, path = options["format"], options["output"]
        if path is not None and kind not in ("csv", "parquet"):
            raise CommandError("--output applies to CSV and Parquet only.", returncode=2)
        try:
            found = result(
                options["statement"],
                person=None,
                kind="parquet" if kind == "parquet" else "rows",
                is_patient=True,
            )
            if kind in ("csv", "parquet"):
                content = as_csv(found).encode() if kind == "csv" else as_parquet(found)
                self.write(content, path)
                return
        except NoResult as error:
            raise CommandError(escape_control_chars(str(error))) from error
        if kind == "json":
            names = distinct(found.outcome.columns)
            for row in found.outcome.rows:
                cells = dict(zip(names, row, strict=True))
                self.stdout.write(json.dumps(cells, ensure_ascii=False))
        else:
            self.print_table(found)
        for remark in found.remarks:
            self.stderr.write(escape_control_chars(remark))

    def write(self, content: bytes, path: Path | None) -> None:
        if path is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        try:
            path.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error

    def print_table(self, found: Result) -> None:
        table = [found.outcome.columns, *(map(cell_text, row) for row in found.outcome.rows)]
        lines = [[escape_control_chars(cell) for cell in row] for row in table]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
