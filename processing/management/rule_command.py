"""What commands on the rules of a source share."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandError

from processing.errors import UnknownSource
from records.jobs.terminal import RunCommand
from records.models import Source


class RuleCommand(RunCommand):
    """A command on the rules of a source."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="name of the source")

    def source(self, name: str) -> Source:
        """The source of this name, or wrong usage."""
        source = Source.objects.named(name)
        if source is None:
            raise CommandError(str(UnknownSource(name)), returncode=2)
        return cast(Source, source)

    def rules(self, name: str) -> Any:
        """What a file of rules says, or wrong usage; "-" is what is typed in."""
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise CommandError(f"{name} can't be read: {error.strerror}.", returncode=2) from error
        try:
            return json.loads(content)
        except ValueError as error:
            raise CommandError(f"{name} is not valid JSON: {error}.", returncode=2) from error
