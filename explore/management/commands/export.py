"""`manage.py export`: export records to a file or to standard output."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from explore.export.files import export
from explore.export.options import DELIMITERS, KINDS, LINE_ENDS, Options
from explore.export.trail import record_file
from explore.management.filters import add_filters, query_of
from records.errors import ExportError
from records.jobs.terminal import RunCommand, counting_bar


class Command(RunCommand):
    help = (
        "Export records as CSV, NDJSON, Parquet or XLSX. Exit status: 0 on success, 1 on failure, "
        "2 for incorrect usage, 130 after Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", default="-", metavar="FILE",
            help="output file; compressed if it ends in .gz (default: standard output)",
        )  # fmt: skip
        parser.add_argument(
            "--format",
            choices=KINDS,
            help="file format (default: from the name of FILE, else csv)",
        )
        parser.add_argument(
            "--raw", action="store_true",
            help="export only the original cells, in the order of the imported lines",
        )  # fmt: skip
        parser.add_argument("--gzip", action="store_true", help="compress the output")
        parser.add_argument(
            "--delimiter", choices=DELIMITERS, default="comma", help="the delimiter of CSV",
        )  # fmt: skip
        parser.add_argument(
            "--line-end", choices=LINE_ENDS, default="crlf", help="the line end of CSV",
        )  # fmt: skip
        parser.add_argument(
            "--bom", action="store_true",
            help="start CSV with a byte order mark, by which Excel recognises UTF-8",
        )  # fmt: skip
        add_filters(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        query = query_of(options)
        path = None if options["file"] == "-" else Path(options["file"])
        kind, is_gzip = self.kind(path, options)
        if kind != "csv" and (
            options["bom"] or (options["delimiter"], options["line_end"]) != ("comma", "crlf")
        ):
            raise CommandError("--delimiter, --line-end and --bom apply to CSV only.", returncode=2)
        is_shown = path is not None or not sys.stdout.isatty()
        try:
            with counting_bar("records", enabled=is_shown) as counter:
                file = export(
                    query,
                    options=Options(
                        kind=kind,
                        raw=options["raw"],
                        gzip=is_gzip,
                        delimiter=DELIMITERS[options["delimiter"]],
                        line_end=LINE_ENDS[options["line_end"]],
                        bom=options["bom"],
                    ),
                    progress=counter.advance,
                    expect=counter.expect,
                )
                record_file(file, query=query.query_string())
                if path is None:
                    self.print(file.content)
                else:
                    self.write(file.content, path)
        except ExportError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Cancelled: nothing was written." if path else "Cancelled.")
            raise SystemExit(130) from None

    def kind(self, path: Path | None, options: dict[str, Any]) -> tuple[str, bool]:
        """The kind of file, and whether to compress it: by the options, else by its name."""
        suffixes = [suffix.lower() for suffix in path.suffixes[-2:]] if path else []
        is_gzip = suffixes[-1:] == [".gz"]
        named = suffixes[-2 if is_gzip else -1 :][:1]
        by_name = {f".{kind}": kind for kind in KINDS} | {".jsonl": "ndjson"}
        kind = options["format"] or by_name.get(named[0] if named else "", "csv")
        return kind, is_gzip or options["gzip"]

    def write(self, content: Iterable[bytes], path: Path) -> None:
        """Write the file under another name first: what is there is never half an export."""
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with unfinished.open("wb") as file:
                file.writelines(content)
            unfinished.replace(path)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def print(self, content: Iterable[bytes]) -> None:
        try:
            sys.stdout.buffer.writelines(content)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Whoever reads has read enough; Python is not to complain of it when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
