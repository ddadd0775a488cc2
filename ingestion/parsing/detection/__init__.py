"""Detects the size, digest, format, encoding and dialect of a file. Pure: no Django."""

from ingestion.parsing.detection.detect import Detected, detect
from ingestion.parsing.detection.kind import START_BYTES, check_is_table

__all__ = ["START_BYTES", "Detected", "check_is_table", "detect"]
