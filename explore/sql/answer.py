"""Runs the statement of a person: in a process of its own, and entered in the audit log."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts import audit
from explore.columns.schema import quoted
from explore.questions.rests import Remark, not_counted
from explore.sql.running import MOST_ROWS, Kind, Outcome, run
from explore.sql.statement import MOST_CHARACTERS
from explore.sql.tables import handed_over, table_names
from ingestion.parsing.isolated import Broke, Busy, OutOfMemory, OutOfTime, call_apart

SECONDS = 20.0
# What DuckDB and Python take besides what DuckDB may use.
SPARE_BYTES = 1 << 30
# So many statements run at once for a process of the web server, and one of each person.
AT_ONCE = 2
WAIT_SECONDS = 5.0


class NoResult(Exception):
    """Why a statement has no result, as a sentence."""


class TryLater(NoResult):
    """Other statements are running."""


class Stopped(NoResult):
    """The statement took too long or too much memory."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a statement, as of a moment; ``remarks`` say what it lacks."""

    outcome: Outcome
    as_of: datetime
    remarks: Sequence[str]
    is_behind: bool


def result(
    statement: str, *, person: int | None, kind: Kind = "rows", is_patient: bool = False
) -> Result:
    """The result of a statement about the sources that may be seen.

    ``person`` has one statement run at a time; None for commands. Raises NoResult.
    """
    if len(statement) > MOST_CHARACTERS:
        raise NoResult(
            f"The statement has {len(statement):,} characters, and the limit is "
            f"{MOST_CHARACTERS:,}."
        )
    with _one_at_a_time(person):
        _enter(statement)
        with handed_over(_mentioned(statement), is_patient=is_patient) as (given, as_of):
            outcome = _run(statement, given=given, kind=kind)
    if outcome.refusal:
        raise NoResult(outcome.refusal)
    behind = not_counted(as_of)
    return Result(outcome, as_of.moment, _remarks(outcome, behind), bool(behind))


def _mentioned(statement: str) -> Mapping[str, str]:
    """The tables whose names the statement has, so that others need not be read."""
    text = statement.casefold()
    return {
        table: source
        for table, source in table_names().items()
        if quoted(table)[1:-1].casefold() in text
    }


def _run(statement: str, **arguments: object) -> Outcome:
    memory = settings.COLUMNS_MEMORY_MB
    try:
        return call_apart(
            run,
            seconds=SECONDS,
            memory=(memory << 20) + SPARE_BYTES,
            waiting=WAIT_SECONDS,
            places=_places,
            statement=statement,
            memory_mb=memory,
            **arguments,
        )
    except Busy as error:
        raise TryLater("Too many statements are running. Try again in a few seconds.") from error
    except OutOfTime as error:
        raise Stopped(
            f"The statement was stopped after {SECONDS:g} seconds. Filter more, or group by fewer "
            "values."
        ) from error
    except OutOfMemory as error:
        raise Stopped("The statement needs too much memory. Filter more.") from error
    except Broke as error:
        raise Stopped("DuckDB can't run this statement. Write it in a simpler way.") from error


def _remarks(outcome: Outcome, behind: Sequence[Remark]) -> list[str]:
    said = [remark.text for remark in behind]
    if outcome.is_cut:
        said.insert(
            0, f"Only the first {MOST_ROWS:,} rows are returned. Group or filter for the others."
        )
    return said


def _enter(statement: str) -> None:
    audit.record(
        audit.Action.SQL_RUN, kind="sql", label=statement[:80], after={"statement": statement}
    )


@contextmanager
def _one_at_a_time(person: int | None) -> Iterator[None]:
    if person is None:
        yield
        return
    with _lock:
        if person in _running:
            raise TryLater("Your last statement is still running. Wait until it has ended.")
        _running.add(person)
    try:
        yield
    finally:
        with _lock:
            _running.discard(person)


_places = threading.BoundedSemaphore(AT_ONCE)
_lock = threading.Lock()
_running: set[int] = set()
