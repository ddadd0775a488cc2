"""``manage.py verify_receipt``: check a receipt with nothing but the public key."""

import hashlib
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.receipts import documents
from ingestion.receipts.documents import InvalidReceipt

CHUNK_BYTES = 1 << 20


class Command(BaseCommand):
    help = "Verify the receipt of a run: its signature, its file, and the receipt before it."
    # It needs no database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("receipt", type=Path, help="the receipt, as the API gives it out")
        parser.add_argument("--key", type=Path, required=True, help="the public key, a PEM file")
        parser.add_argument("--file", type=Path, help="the file that the receipt should be about")
        parser.add_argument(
            "--previous", type=Path, help="the receipt that should come before, of the same source"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        key = _text(options["key"])
        try:
            content = documents.verify(_document(options["receipt"]), key)
            if options["previous"]:
                previous = documents.verify(_document(options["previous"]), key)
                documents.check_previous(content, previous)
            if options["file"]:
                sha256, size = _measured(options["file"])
                documents.check_file(content, sha256=sha256, size=size)
        except InvalidReceipt as error:
            raise CommandError(str(error)) from error
        what = "the undo of run" if content["kind"] == "undo" else "run"
        self.stdout.write(
            f"The receipt is valid: number {content['number']} of {content['source']}, {what} "
            f"{content['run']}, {content['state']}."
        )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can't be read: {error}.") from error


def _document(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InvalidReceipt(f"{path} is not a receipt: it is not valid JSON.") from error


def _measured(path: Path) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                sha.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    return sha.hexdigest(), size
