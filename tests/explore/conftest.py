"""What tests of all that is shown share."""

from pathlib import Path

import pytest


@pytest.fixture
def column_folder(tmp_path, settings) -> Path:
    """A folder of the column store for a test."""
    path = tmp_path / "columns"
    settings.COLUMN_DIR = path
    settings.STORAGES = settings.STORAGES | {
        "columns": settings.STORAGES["columns"] | {"OPTIONS": {"location": path}}
    }
    return path
