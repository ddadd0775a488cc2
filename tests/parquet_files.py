"""Parquet files for tests."""

from pathlib import Path

import duckdb


def write_parquet(path: Path, select: str, options: str = "") -> Path:
    """A file with what DuckDB selects."""
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet{options})")
    return path
