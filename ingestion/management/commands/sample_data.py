"""``manage.py sample_data``: writes the sample files and prints where they are."""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.samples import samples


def day(text: str) -> date:
    """A date from 1971 to 2099, written YYYY-MM-DD."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date (YYYY-MM-DD)") from None
    if not 1971 <= found.year <= 2099:
        raise argparse.ArgumentTypeError(f"{text} is not between 1971 and 2099")
    return found


class Command(BaseCommand):
    help = "Write sales.csv, sensors.csv and tickets.csv (sample data) and print their paths."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--directory",
            type=Path,
            default=settings.VAR_DIR / "samples",
            help="folder to write to; existing files are replaced (default: %(default)s)",
        )
        parser.add_argument(
            "--rows-scale",
            type=float,
            default=1.0,
            metavar="FACTOR",
            help="factor for the number of rows, 0.1 to 100 (default: %(default)s)",
        )
        parser.add_argument(
            "--until",
            type=day,
            default=datetime.now(UTC).date(),
            metavar="YYYY-MM-DD",
            help="date after the last day of the data; the same date gives the same files "
            "(default: today, UTC)",
        )

    def handle(
        self, *args: Any, directory: Path, rows_scale: float, until: date, **options: Any
    ) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for sample in samples(until=until, scale=rows_scale):
                path = directory / sample.file_name
                path.write_bytes(sample.content)
                self.stdout.write(str(path))
        except ValueError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(
                f"Cannot write the samples to {directory}: {error.strerror}."
                " Choose another folder with --directory."
            ) from None
