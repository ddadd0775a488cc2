"""Files of segments that lie on no disk of this machine, as behind S3."""

from datetime import datetime

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils import timezone

from explore.columns import files, folding, snapshot
from explore.columns.snapshot import snapshot as taken
from records import store
from records.models import ColumnChange
from tests.explore.columns.plain import assert_whole, snapshot_rows
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


class Remote(Storage):
    """A storage that is no folder."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, datetime]] = {}

    def _open(self, name: str, mode: str) -> "ContentFile[bytes]":
        return ContentFile(self.kept[name][0])

    def _save(self, name: str, content: "File[bytes]") -> str:
        self.kept[name] = content.read(), timezone.now()
        return name

    def delete(self, name: str) -> None:
        del self.kept[name]

    def exists(self, name: str) -> bool:
        return name in self.kept

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return [], list(self.kept)

    def get_modified_time(self, name: str) -> datetime:
        return self.kept[name][1]


@pytest.fixture(autouse=True)
def remote(settings, folder):
    backend = {"BACKEND": f"{__name__}.Remote"}
    settings.STORAGES = settings.STORAGES | {"columns": backend}
    return storages["columns"]


@pytest.fixture
def folded():
    land("shop", {"1": sale(1), "2": sale(2)})
    process_all()
    folding.fold()


def read_from_files(monkeypatch) -> int:
    """The number of records, where none is read from the database."""
    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "stage", None)
        with taken(sources=["shop"]) as found:
            return len(snapshot_rows(found))


@pytest.mark.usefixtures("folded")
def test_each_machine_keeps_a_copy_of_what_it_reads(remote, folder, monkeypatch):
    (name,) = remote.listdir("")[1]
    (folder / name).unlink()
    assert read_from_files(monkeypatch) == 2
    assert (folder / name).exists()
    assert_whole("shop")


@pytest.mark.usefixtures("folded")
def test_a_damaged_copy_is_fetched_again(remote, folder, monkeypatch):
    (name,) = remote.listdir("")[1]
    (folder / name).write_bytes(b"PAR1")
    assert read_from_files(monkeypatch) == 2
    assert not ColumnChange.objects.exists()


@pytest.mark.usefixtures("folded")
def test_a_file_that_is_lost_everywhere_is_made_again(
    remote, folder, monkeypatch, django_capture_on_commit_callbacks
):
    (name,) = remote.listdir("")[1]
    (folder / name).unlink()
    remote.delete(name)
    with django_capture_on_commit_callbacks(execute=True):
        assert_whole("shop")
    folding.fold()
    assert read_from_files(monkeypatch) == 2


@pytest.mark.usefixtures("folded")
def test_files_that_nobody_reads_any_more_are_deleted_everywhere(remote, folder, monkeypatch):
    monkeypatch.setattr(folding, "KEEP", -folding.KEEP)
    monkeypatch.setattr(files, "LEFT_AFTER", -files.LEFT_AFTER)
    store.edit_record(record_id="shop:1", data=sale(3), user=None)
    folding.fold()
    (name,) = remote.listdir("")[1]
    assert [path.name for path in folder.glob("*.parquet")] == [name]
    assert_whole("shop")
