import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    """A folder of the column store for each test."""
    path = tmp_path / "columns"
    settings.COLUMN_DIR = path
    settings.STORAGES = settings.STORAGES | {
        "columns": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": path},
        }
    }
    return path
