"""Rules applied to batches of records. Pure: no Django, no tables."""
