"""Signals of the write door."""

from django.dispatch import Signal

# Rows have landed in a source: sent when an ingestion run has finished, with ``source`` (its name).
landed = Signal()
