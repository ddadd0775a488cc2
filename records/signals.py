"""Signals of the write door."""

from django.dispatch import Signal

# Rows have landed in a source: sent when an ingestion run has finished, with ``source`` (its name).
landed = Signal()

# What each step of rules did to a record is asked for: sent with ``result`` and the ``data`` that
# it was made from. Who knows answers with a list of records.story.Step, or None if nobody can say.
steps_asked = Signal()
