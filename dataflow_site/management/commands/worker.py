"""``manage.py worker [QUEUE ...]``: runs the background workers."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dataflow_site.supervisor import Supervisor
from records.jobs.liveness import worker_alive


class Command(BaseCommand):
    help = "Run the background workers of the queues until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queues",
            nargs="*",
            metavar="QUEUE",
            help=f"queues to work on: {', '.join(settings.QUEUES)} (default: all)",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="only check that each queue has a running worker: exit status 0 if so, else 1",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queues"] or settings.QUEUES
        if unknown := set(queues) - set(settings.QUEUES):
            self.stderr.write(
                f"Unknown queue: {', '.join(sorted(unknown))}. "
                f"The queues are: {', '.join(settings.QUEUES)}."
            )
            raise SystemExit(2)
        if not options["check"]:
            Supervisor(queues).run()
        elif silent := [queue for queue in queues if not worker_alive(queue)]:
            raise SystemExit(f"No running worker for: {', '.join(silent)}.")
