import pytest


@pytest.fixture(autouse=True)
def folder(column_folder):
    """A folder of the column store for each test."""
    return column_folder
