"""Signals of the write door."""

from django.dispatch import Signal

# Rows have landed in a source: sent when an ingestion run has finished, with ``source`` (its name).
landed = Signal()

# A run has ended: sent with the ``run`` in the transaction that ends it, while its source is held.
ended = Signal()
