"""``manage.py worker [QUEUE ...]``: the background workers, kept running."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from dataflow_site.supervisor import Supervisor
from records.jobs.liveness import worker_alive


class Command(BaseCommand):
    help = "Runs the background workers of the queues, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queues",
            nargs="*",
            metavar="QUEUE",
            help=f"which queues to work on: {', '.join(settings.QUEUES)} (all of them)",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="only look whether the queues are worked on: exit code 0, else 1",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queues"] or settings.QUEUES
        if unknown := set(queues) - set(settings.QUEUES):
            self.stderr.write(
                f"There is no queue {', '.join(sorted(unknown))}; "
                f"there are: {', '.join(settings.QUEUES)}."
            )
            raise SystemExit(2)
        if not options["check"]:
            Supervisor(queues).run()
        elif silent := [queue for queue in queues if not worker_alive(queue)]:
            raise SystemExit(f"No sign of life from: {', '.join(silent)}.")
