"""A backup brings back exactly what was there, or changes nothing and says why."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.backups import archive
from tests.installation import ROOT, Installation, copied, wait_for

ROWS = 3_000
# An upload, whose input is stored.
UPLOAD = """
from pathlib import Path
from ingestion.loading import inputs, runs
from records.jobs.runner import work_on
stored = inputs.keep_chunks("shop.csv", [Path({path!r}).read_bytes()])
run = runs.create_run(path=stored.path, file_name="shop.csv", trigger="upload",
                      roles={{"id": ["id"], "value": ["value"], "category": ["category"]}})
assert work_on(run, "test").state == "finished"
"""
PEOPLE = """
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password="a long password")
"""
DESTROY = """
from django.db import connection
for table in ("processing_results", "data_records", "record_counts", "auth_user_groups"):
    connection.cursor().execute(f"DELETE FROM {table}")
"""


def shop_file(folder: Path, rows: int = ROWS) -> Path:
    file = folder / "shop.csv"
    with file.open("w") as text:
        text.write("id,value,category,note\n")
        for n in range(rows):
            text.write(f"{n},{n}.50,{'Toys' if n % 3 else 'Böoks'},note {n}\n")
    return file


def shell(at: Installation, code: str) -> None:
    at.manage("shell", "-v0", "-c", code)


def run(
    at: Installation, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """A command that may fail."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=at.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def held(at: Installation, source: str = "shop") -> list[Any]:
    """All records of a source, and what their current results say."""
    records = "SELECT id, data, status, line FROM data_records"
    results = "SELECT record_id, success, processed_data, error_message FROM processing_results"
    return [
        *at.rows(f"{records} WHERE source = '{source}' ORDER BY id"),
        *at.rows(f"{results} WHERE current AND record_id LIKE '{source}:%' ORDER BY record_id"),
    ]


@pytest.fixture(scope="module", autouse=True)
def _has_client(own_installation: Installation) -> None:
    if own_installation.database_url and not shutil.which("pg_dump"):
        pytest.skip("The client programs of PostgreSQL were not found.")


@pytest.fixture(scope="module")
def shop(own_installation: Installation) -> Installation:
    """An installation with processed records, of which nothing changes."""
    file = shop_file(own_installation.folder)
    shell(own_installation, UPLOAD.format(path=str(file)) + PEOPLE)
    own_installation.manage("process")
    return own_installation


@pytest.fixture(scope="module")
def made(shop: Installation) -> Path:
    """Its backup."""
    path = shop.folder / "kept.backup"
    shop.manage("backup", str(path))
    return path


@pytest.fixture
def copy(shop: Installation, made: Path, tmp_path: Path) -> Iterator[Installation]:
    """Another installation with the same data and keys, to be changed."""
    with copied(shop, tmp_path / "var") as other:
        yield other


@pytest.fixture
def empty(
    shop: Installation, prepared_installation: Installation, tmp_path: Path
) -> Iterator[Installation]:
    """A new installation with other keys and folders."""
    with copied(prepared_installation, tmp_path / "empty") as other:
        for name in ("secret_key", "receipt_key"):
            (other.folder / name).unlink(missing_ok=True)
        yield other


def test_what_was_destroyed_is_there_again_and_the_same_file_changes_nothing(
    shop: Installation, made: Path, copy: Installation
) -> None:
    before = held(shop)
    assert len(before) == 2 * ROWS
    digest = shop.manage("digest", "--source", "shop").split()[0]
    shell(copy, DESTROY)
    shutil.rmtree(copy.folder / "inputs")
    said = json.loads(copy.manage("restore", str(made), "--overwrite", "--json"))
    assert (said["state"], said["file"], said["bytes"]) == (
        "restored",
        str(made),
        made.stat().st_size,
    )
    assert said["sources"] == [
        {"source": "shop", "records": ROWS, "digest": digest},
    ]
    assert held(copy) == before
    again = json.loads(copy.manage("ingest", str(shop.folder / "shop.csv"), "--json"))
    assert (again["unchanged"], again["created"], again["updated"]) == (ROWS, 0, 0)
    assert held(copy) == before
    copy.manage("check_counts")
    assert "intact" in copy.manage("check_audit")
    assert copy.rows("SELECT count(*) FROM audit_entries WHERE action = 'backup.restored'") == [
        (1,)
    ]


def test_a_new_installation_becomes_the_one_of_the_backup(
    shop: Installation, made: Path, empty: Installation
) -> None:
    empty.manage("restore", str(made))
    assert held(empty) == held(shop)
    for name in ("secret_key", "receipt_key"):
        assert (empty.folder / name).read_text() == (shop.folder / name).read_text()
        assert (empty.folder / name).stat().st_mode & 0o777 == 0o600
    # Its runs find their inputs in its own folder.
    ((path,),) = empty.rows("SELECT path FROM ingestion_runs")
    assert Path(path).is_relative_to(empty.folder / "inputs")
    assert Path(path).read_bytes() == (shop.folder / "shop.csv").read_bytes()
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert empty.rows("SELECT username FROM auth_user") == [("ada",)]


def test_the_file_is_for_its_owner_only_and_lists_what_it_holds(
    shop: Installation, made: Path
) -> None:
    assert made.stat().st_mode & 0o777 == 0o600
    with tarfile.open(made) as tar:
        *members, last = tar.getnames()
        manifest = json.loads(tar.extractfile(last).read())  # type: ignore[union-attr]
    assert last == "manifest.json"
    assert manifest["members"].keys() == set(members)
    assert sum(name.startswith("inputs/") for name in members) == 1
    assert not any("columns" in name for name in members)
    assert manifest["contents"]["tables"]["data_records"] == ROWS
    assert [each["results"] for each in manifest["contents"]["sources"]] == [ROWS]
    assert not list(shop.folder.glob(".dataflow-backup-*"))


def test_a_backup_is_verified_without_touching_the_installation(
    shop: Installation, made: Path
) -> None:
    before = held(shop)
    said = json.loads(shop.manage("backup", "--verify", str(made), "--json"))
    assert (said["state"], said["sources"][0]["records"]) == ("verified", ROWS)
    assert held(shop) == before
    ((at, error),) = shop.rows("SELECT verified_at, verify_error FROM backups")
    assert at is not None
    assert error == ""


def test_data_is_not_replaced_without_a_word(shop: Installation, made: Path) -> None:
    before = held(shop)
    failed = run(shop, "restore", str(made), "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["state"] == "failed"
    assert "holds data (sources: 1, accounts: 1)" in failed.stderr
    assert "--overwrite" in failed.stderr
    assert held(shop) == before


def changed(made: Path, target: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """A backup with other members."""
    with tarfile.open(made) as tar:
        members = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(target, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target


def manifest_with(path: tuple[str, ...], value: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[archive.MANIFEST])
        place = manifest
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        members[archive.MANIFEST] = json.dumps(manifest).encode()

    return change


def damage(start: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.startswith(start))
        content = bytearray(members[name])
        content[len(content) // 2] ^= 1
        members[name] = bytes(content)

    return change


def lies_about_records(members: dict[str, bytes]) -> None:
    manifest = json.loads(members[archive.MANIFEST])
    manifest["contents"]["sources"][0]["records"] += 1
    members[archive.MANIFEST] = json.dumps(manifest).encode()


REFUSED: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "a damaged database": (damage("database."), "is damaged in database."),
    "a damaged input": (damage("inputs/"), "is damaged in inputs/"),
    "no manifest": (lambda members: members.pop(archive.MANIFEST), "is not complete"),
    "another member": (lambda members: members.update(x=b"x"), "its members are not those"),
    "a newer format": (manifest_with(("format",), 99), "the newer version"),
    "another kind": (manifest_with(("database",), "oracle"), "is of the database oracle, but"),
    "unknown migrations": (
        manifest_with(("contents", "migrations"), ["records.0001_initial", "records.0999_later"]),
        "(records.0999_later). Install that version",
    ),
    "other records": (lies_about_records, f"'shop' has {ROWS:,} records instead of {ROWS + 1:,}"),
    "another digest": (
        manifest_with(("contents", "tables", "auth_user"), 7),
        "Table auth_user has 1 rows instead of 7.",
    ),
}


VERIFY = """
from pathlib import Path
from operations.backups.errors import BackupError
from operations.backups.restore import restore_backup, verify_backup
for path in {paths!r}:
    for carry_out in (verify_backup, lambda file: restore_backup(file, overwrite=True)):
        try:
            carry_out(Path(path))
        except BackupError as error:
            print(error)
        else:
            print("Nothing was refused.")
"""


def test_a_backup_that_is_not_right_changes_nothing(
    shop: Installation, made: Path, tmp_path: Path
) -> None:
    whole, before, cut = made.read_bytes(), held(shop), "not a backup, or it is damaged"
    expected: list[tuple[Path, str]] = []
    for number, (change, reason) in enumerate(REFUSED.values()):
        expected.append((changed(made, tmp_path / f"{number}.backup", change), reason))
    # Also within the manifest, behind which nothing but padding comes.
    for end in (0, len(whole) * 2 // 5, len(whole.rstrip(b"\0")) - 100):
        path = tmp_path / f"until {end}.backup"
        path.write_bytes(whole[:end])
        expected.append((path, cut))
    expected.append((tmp_path / "none.backup", "There is no file"))
    expected.append((tmp_path, "can't be read: Is a directory."))
    said = shop.manage("shell", "-v0", "-c", VERIFY.format(paths=[str(p) for p, _ in expected]))
    for number, (path, reason) in enumerate(expected):
        for line in said.splitlines()[2 * number : 2 * number + 2]:
            assert reason in line, path
    assert held(shop) == before
    assert all(len(path.name) == 2 for path in (shop.folder / "inputs").iterdir())
    if shop.database_url:
        left = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_restore\\_%'"
        assert shop.rows(left) == [(0,)]


def test_another_key_of_the_environment_is_refused(copy: Installation, made: Path) -> None:
    failed = run(copy, "restore", "--overwrite", str(made), SECRET_KEY="another" * 10)
    assert failed.returncode == 1
    assert "made with another SECRET_KEY" in failed.stderr
    same = (copy.folder / "secret_key").read_text()
    copy.manage("restore", "--overwrite", str(made), SECRET_KEY=same)


def test_a_backup_that_fails_leaves_no_file(shop: Installation, made: Path, tmp_path: Path) -> None:
    failed = run(shop, "backup", str(tmp_path / "none" / "a.backup"))
    assert failed.returncode == 1
    assert "No such file or directory" in failed.stderr
    before = made.read_bytes()
    failed = run(shop, "backup", str(made))
    assert "exists already" in failed.stderr
    assert made.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_file(shop: Installation, small_disk: Path) -> None:
    (small_disk / "rest").write_bytes(bytes(3_900_000))
    failed = run(shop, "backup", str(small_disk / "a.backup"))
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1, failed.stderr
    assert [path.name for path in small_disk.iterdir()] == ["rest"]


def test_a_folder_keeps_the_newest(shop: Installation, tmp_path: Path) -> None:
    for day in (1, 2, 3):
        (tmp_path / f"dataflow-2026010{day}T000000Z.backup").write_text("old")
    (tmp_path / "dataflow-mine.backup").write_text("not ours")
    lines = shop.manage("backup", str(tmp_path), "--keep", "2", "--json").splitlines()
    first, *deleted = map(json.loads, lines)
    assert first["state"] == "finished"
    assert [Path(each["file"]).name for each in deleted] == [
        "dataflow-20260101T000000Z.backup",
        "dataflow-20260102T000000Z.backup",
    ]
    assert len(list(tmp_path.iterdir())) == 3
    failed = run(shop, "backup", str(tmp_path / "a.backup"), "--keep", "2")
    assert failed.returncode == 2


def test_what_a_killed_backup_left_is_removed(shop: Installation, tmp_path: Path) -> None:
    left = tmp_path / ".dataflow-backup-left"
    left.mkdir()
    (left / "database").write_text("part")
    shop.manage("backup", str(tmp_path / "a.backup"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.backup"]


def test_an_older_backup_is_migrated(shop: Installation, copy: Installation) -> None:
    copy.manage("migrate", "-v0", "operations", "zero")
    older = copy.folder / "older.backup"
    copy.manage("backup", str(older))
    copy.manage("migrate", "-v0")
    copy.manage("restore", "--overwrite", str(older))
    assert held(copy) == held(shop)
    assert copy.rows("SELECT count(*) FROM backups") == [(0,)]


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_a_missing_or_old_client_program_is_named(
    shop: Installation, made: Path, tmp_path: Path, program: str
) -> None:
    if not shop.database_url:
        pytest.skip("Only PostgreSQL has client programs.")
    command = {
        "pg_dump": ("backup", str(tmp_path / "a.backup")),
        "pg_restore": ("restore", "--overwrite", str(made)),
    }[program]
    failed = run(shop, *command, PATH="/none")
    assert failed.returncode == 1
    assert f"{program} can't be run (No such file or directory). Install" in failed.stderr
    stand_in = tmp_path / "bin" / program
    stand_in.parent.mkdir()
    stand_in.write_text(
        f"#!/bin/sh\necho '{program}: error: aborting because of server version mismatch' >&2\n"
        f"echo '{program}: detail: server version: 99.1; {program} version: 9.6' >&2\nexit 1\n"
    )
    stand_in.chmod(0o755)
    failed = run(shop, *command, PATH=f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    assert f"{program} is too old" in failed.stderr
    assert "server version: 99.1" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


@pytest.mark.cluster
def test_a_backup_during_a_load_is_of_one_moment_and_the_load_goes_on_after_a_restore(
    copy: Installation, tmp_path: Path
) -> None:
    rows = 60_000
    big = tmp_path / "big.csv"
    with big.open("w") as text:
        text.write("id,value,category\n")
        text.writelines(f"{n},{n}.5,a\n" for n in range(rows))
    queue = (
        "from pathlib import Path; from ingestion.loading import inputs, runs;"
        "from records.jobs.runner import queue;"
        f"kept = inputs.keep_chunks('big.csv', [Path({str(big)!r}).read_bytes()]);"
        "queue(runs.create_run(path=kept.path, file_name='big.csv', trigger='upload',"
        " roles={'id': ['id'], 'value': ['value'], 'category': ['category']}))"
    )
    worker = (sys.executable, "manage.py", "worker", "ingestion")
    count = "SELECT count(*) FROM data_records WHERE source = 'big'"
    slow = {"DATAFLOW_BATCH_ROWS": "100"}

    def ended() -> bool:
        state = "SELECT state FROM ingestion_runs WHERE file_name = 'big.csv'"
        return copy.rows(state) == [("finished",)]

    shell(copy, queue)
    working = copy.start(*worker, **slow)
    wait_for(lambda: copy.rows(count) > [(0,)], seconds=120, what="the load to be under way")
    path = tmp_path / "during.backup"
    said = json.loads(copy.manage("backup", str(path), "--json"))
    wait_for(ended, seconds=300, what="the end of the load")
    working.terminate()
    working.wait(60)
    whole = held(copy, "big")
    landed = {each["source"]: each["records"] for each in said["sources"]}["big"]
    assert 0 < landed < rows
    copy.manage("restore", "--overwrite", str(path))
    assert copy.rows(count) == [(landed,)]
    ((state, read),) = copy.rows(
        "SELECT state, read FROM ingestion_runs WHERE file_name = 'big.csv'"
    )
    assert (state, read) == ("running", landed)
    copy.start(*worker)
    wait_for(ended, seconds=300, what="the restored run to go on")
    assert held(copy, "big") == whole


def test_a_newer_client_program_restores_into_an_older_server(
    shop: Installation, made: Path, tmp_path: Path
) -> None:
    if not shop.database_url:
        pytest.skip("Only PostgreSQL has client programs.")
    newer = tmp_path / "pg_restore"
    newer.write_text(
        f'#!/bin/sh\n{shutil.which("pg_restore")} "$@"\n'
        "echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration "
        'parameter "transaction_timeout"\' >&2\n'
        "echo 'Command was: SET transaction_timeout = 0;' >&2\n"
        "echo 'pg_restore: warning: errors ignored on restore: 1' >&2\nexit 1\n"
    )
    newer.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert "Verified" in shop.manage("backup", "--verify", str(made), PATH=path)
