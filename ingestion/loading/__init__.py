"""Ingestion runs: loading, replay, undo, dry runs."""
