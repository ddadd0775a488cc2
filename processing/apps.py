from typing import Any

from django.apps import AppConfig


class ProcessingConfig(AppConfig):
    name = "processing"

    def ready(self) -> None:
        from processing import explanation, runs
        from records.models import Source
        from records.signals import landed, steps_asked

        def process_what_landed(source: Source, **kwargs: Any) -> None:
            runs.queue_landed(source)

        landed.connect(process_what_landed, weak=False, dispatch_uid="process what landed")
        steps_asked.connect(explanation.tell_steps, weak=False, dispatch_uid="tell steps")
