"""The chain of the audit log: any change, cut or swap shows, and nobody can write past it."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from hypothesis import given
from hypothesis import strategies as st

from accounts import audit
from accounts.audit.chain import FIELDS, START, check, digest_of
from accounts.models import AuditEntry
from accounts.models.audit import EntryIsFinal

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def chain(length: int) -> list[Any]:
    """A log as it is stored, of plain objects."""
    entries, head = [], START
    for number in range(1, length + 1):
        values: dict[str, Any] = dict.fromkeys(FIELDS, "")
        values |= {"number": number, "at": FIRST + timedelta(seconds=number), "user_id": None}
        entry = SimpleNamespace(**values | {"action": f"action {number % 3}"})
        entry.digest = head = digest_of(entry, head)
        entries.append(entry)
    return entries


def found_broken(entries: Sequence[Any], *, head: str) -> bool:
    found = check(entries, expected=head)
    return bool(found.problem) or not found.has_expected


@given(st.integers(0, 30))
def test_a_log_that_nobody_touched_is_intact(length):
    entries = chain(length)
    found = check(entries)
    assert (found.problem, found.entries) == ("", length)
    assert found.head == (entries[-1].digest if entries else START)


@given(st.integers(1, 30), st.data())
def test_entries_that_are_cut_anywhere_show(length, data):
    entries = chain(length)
    head = entries[-1].digest
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first + 1, length))
    del entries[first:last]
    assert found_broken(entries, head=head)
    # Only a cut at the end needs the digest that was the last one.
    assert bool(check(entries).problem) == (last < length)


@given(st.integers(1, 30), st.data())
def test_a_changed_field_shows_even_with_a_digest_made_for_it(length, data):
    entries = chain(length)
    head = entries[-1].digest
    place = data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from([name for name in FIELDS if name != "number"]))
    entry = entries[place]
    other = entry.at + timedelta(microseconds=1) if name == "at" else "forged"
    setattr(entry, name, other)
    assert check(entries).entries == place
    entry.digest = digest_of(entry, entries[place - 1].digest if place else START)
    assert found_broken(entries, head=head)


@given(st.integers(2, 30), st.data())
def test_swapped_entries_show(length, data):
    entries = chain(length)
    first = data.draw(st.integers(0, length - 2))
    second = data.draw(st.integers(first + 1, length - 1))
    entries[first], entries[second] = entries[second], entries[first]
    assert check(entries).problem
    # Also if each gets the number of its new place.
    entries[first].number, entries[second].number = first + 1, second + 1
    assert check(entries).entries == first


def run(*options: str) -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("check_audit", *options, stdout=out, stderr=out)
    except SystemExit as error:
        status = int(str(error.code))
    return status, out.getvalue()


def written(count: int) -> None:
    for number in range(count):
        audit.record(audit.Action.SOURCE_CHANGED, kind="source", after={"number": number})


def tamper(sql: str) -> None:
    """Change the table as the owner of the database can: without what stops everybody else."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_entries_no_update")
        cursor.execute(sql)


@pytest.mark.django_db
def test_the_command_finds_a_changed_entry_and_names_it():
    written(5)
    status, text = run()
    assert (status, "intact (5 entries)" in text) == (0, True)
    tamper("UPDATE audit_entries SET user_name = 'eve' WHERE number = 3")
    status, text = run()
    assert status == 1
    assert text.startswith("Entry 3 of 20")
    assert "The 2 entries before are intact." in text


@pytest.mark.django_db
def test_the_command_finds_a_missing_entry():
    written(5)
    tamper("DELETE FROM audit_entries WHERE number = 2")
    assert run()[1].startswith("Entry 2 is missing: the next one is entry 3.")


@pytest.mark.django_db
def test_a_removed_end_shows_against_the_digest_that_was_printed():
    assert run("--expect", START)[0] == 0
    written(3)
    status, head = run("--print-head")
    assert (status, head.strip()) == (0, AuditEntry.objects.get(number=3).digest)
    written(1)
    assert run("--expect", head.strip())[0] == 0
    tamper("DELETE FROM audit_entries WHERE number > 2")
    assert run()[0] == 0
    status, text = run("--expect", head.strip())
    assert status == 1
    assert "entries were removed from the end" in text


@pytest.mark.parametrize("text", ["", "abc", "x" * 64, "A" * 64])
def test_an_expected_digest_that_is_none_is_wrong_usage(text):
    with pytest.raises(CommandError, match="64 hexadecimal digits"):
        call_command("check_audit", "--expect", text)


@pytest.mark.django_db
def test_values_come_back_as_they_were_digested():
    odd = {"float": 1e16, "tiny": 5e-324, "big": 10**30, "text": "\0\ud800é\u2028", "deep": {}}
    deep: dict[str, Any] = odd["deep"]  # type: ignore[assignment]
    for _ in range(50):
        deep["deep"] = {}
        deep = deep["deep"]
    audit.record(audit.Action.SOURCE_CHANGED, label="a\0b\nc", before=odd, after=odd | {"x": True})
    audit.record(audit.Action.SOURCE_CHANGED, before=None, after={"long": "x" * 100_000})
    audit.record(audit.Action.SOURCE_CHANGED, after={"many": list(range(10_000))})
    assert run()[0] == 0
    assert max(len(entry.after) for entry in AuditEntry.objects.all()) < 10_000


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.create(number=9),
        lambda entry: AuditEntry.objects.update(user_name="eve"),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: AuditEntry.objects.bulk_create([entry]),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["user_name"]),
        lambda entry: AuditEntry.objects.update_or_create(number=1),
        lambda entry: AuditEntry._base_manager.get_or_create(number=2),
    ],
)
def test_nothing_in_the_application_writes_to_the_log_but_its_own_door(write):
    written(1)
    with pytest.raises(EntryIsFinal):
        write(AuditEntry.objects.get())
    assert run()[0] == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["UPDATE audit_entries SET user_name = 'eve'", "DELETE FROM audit_entries"]
)
def test_the_database_refuses_to_change_or_delete_an_entry(sql):
    if connection.vendor == "sqlite":
        # The tests' own database lets its tables be emptied.
        loader = MigrationLoader(connection)
        module = __import__(
            loader.get_migration("accounts", "0005_audit_log").__module__, fromlist=["SQLITE"]
        )
        with connection.cursor() as cursor:
            cursor.execute(module.SQLITE["audit_entries_no_delete"])
    written(2)
    with pytest.raises(DatabaseError, match="can't be changed or deleted"), transaction.atomic():
        connection.cursor().execute(sql)
    assert run()[0] == 0


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_no_gap_and_no_fork():
    """Each in a transaction of its own, some of which are rolled back."""
    if connection.vendor == "sqlite":
        pytest.skip("The threads of a test share one connection to SQLite.")
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(20):
                with transaction.atomic():
                    User.objects.create(username=f"{name}{number}")
                    transaction.set_rollback(number % 3 == 0)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    kept = User.objects.count()
    assert kept == 4 * 13
    assert list(AuditEntry.objects.values_list("number", flat=True)) == list(range(1, kept + 1))
    assert run()[0] == 0


@pytest.mark.django_db
def test_an_entry_costs_a_bounded_number_of_queries(django_assert_max_num_queries):
    written(10)
    # A turn and the time on PostgreSQL, the last entry, the new one, and the savepoint of a test.
    with django_assert_max_num_queries(6):
        written(1)
