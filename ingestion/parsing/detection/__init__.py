"""What a file is: its size, digest, format, encoding, dialect and notes. Pure: no Django."""

from ingestion.parsing.detection.detect import Detected, detect
from ingestion.parsing.detection.kind import START_BYTES, check_is_table

__all__ = ["START_BYTES", "Detected", "check_is_table", "detect"]
