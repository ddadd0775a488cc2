"""``manage.py worker [QUEUE ...]``: the background workers, kept running."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dataflow_site.supervisor import Supervisor


class Command(BaseCommand):
    help = "Runs the background workers of the queues, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queues",
            nargs="*",
            metavar="QUEUE",
            help=f"which queues to work on: {', '.join(settings.QUEUES)} (all of them)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queues"] or settings.QUEUES
        if unknown := set(queues) - set(settings.QUEUES):
            self.stderr.write(
                f"There is no queue {', '.join(sorted(unknown))}; "
                f"there are: {', '.join(settings.QUEUES)}."
            )
            raise SystemExit(2)
        Supervisor(queues).run()
