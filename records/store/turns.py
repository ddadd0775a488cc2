"""Whose turn it is: what follows changes of records waits while runs are there."""

from records.models import IngestionRun, ProcessingRun


def runs_are_active() -> bool:
    """Whether a run waits or works."""
    return IngestionRun.objects.active().exists() or ProcessingRun.objects.active().exists()
