"""Processes one batch: read, apply the rules, save; isolates records that crash."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, ProgrammingError

from processing.engine import pipeline
from processing.engine.changes import changed
from processing.errors import RulesBreak
from processing.jobs.facts import RunFacts
from processing.rule_sets import rule_set_for
from processing.rules.facts import NO_FACTS, Facts
from processing.rules.size import BatchTooLarge
from records import store
from records.errors import StoreError
from records.jobs import batches
from records.models import ProcessingBatch, RuleSet, Selection, Source
from records.rows import Outcome, RawRecord
from records.store import Results
from records.store.readings import Reading, read, read_results

log = logging.getLogger(__name__)

# If the rules break on more records of a batch than that, the records are not to blame.
CRASHES = 100
# Errors that say nothing about the records at hand.
NOT_TO_BLAME = (OperationalError, InterfaceError, ProgrammingError, StoreError, RulesBreak)


@dataclass(frozen=True, slots=True)
class Task:
    """A batch that has been read, and whose results are being made."""

    batch: ProcessingBatch
    characters: int
    rule_set: RuleSet
    reading: Future[Reading]
    results: Future[Results]


def begin(batch: ProcessingBatch, executor: Executor, facts: RunFacts) -> Task:
    """Read a batch, and have its results made while the database does something else.

    ``facts`` tells what the rules ask about the whole source.
    """
    source = Source.objects.get(name=batch.source)
    rule_set = rule_set_for(source)
    known = facts.of(rule_set)
    text = read(batch)
    former = read_results(batch) if batch.run.selection == Selection.CHANGED else None
    reading = executor.submit(text.reading)
    now = time.time()

    def results() -> Results:
        found = reading.result()
        outcomes = make_outcomes(found.records, rule_set, source, now, known)
        if former is not None:
            outcomes = changed(outcomes, former.outcomes(), now)
        return prepare(batch, found, outcomes, rule_set)

    return Task(batch, len(text.rows), rule_set, reading, executor.submit(results))


def prepare(
    batch: ProcessingBatch, reading: Reading, outcomes: Sequence[Outcome], rule_set: RuleSet
) -> Results:
    return store.prepare_results(batch=batch, reading=reading, outcomes=outcomes, rule_set=rule_set)


def make_outcomes(
    records: Sequence[RawRecord],
    rule_set: RuleSet,
    source: Source,
    now: float,
    facts: Facts = NO_FACTS,
) -> list[Outcome]:
    """What the rules make of records; one on which they break fails with the reason.

    It is found by halving. Raises RulesBreak if they break on too many, and BatchTooLarge.
    """
    crashes = 0

    def made(part: Sequence[RawRecord]) -> list[Outcome]:
        nonlocal crashes
        try:
            return pipeline.run(part, rule_set.rules, source.mapping, now, facts)
        except BatchTooLarge:
            # Halves in memory would be as large together.
            raise
        except Exception as error:
            middle = len(part) // 2
            if not middle:
                crashes += 1
                if crashes > CRASHES:
                    raise RulesBreak(source.name, rule_set.version, error) from error
                log.warning(
                    "The rules of %s break on %s.", source, part[0].id, exc_info=crashes == 1
                )
                return [crashed(part[0], _because(error))]
        return made(part[:middle]) + made(part[middle:])

    return made(records)


def end(task: Task, worker: str) -> None:
    """Save a batch. One that can't be saved, or is too large, is halved for the next to take, down
    to the record that is to blame, which fails."""
    try:
        store.save_results(results=task.results.result(), worker=worker)
    except NOT_TO_BLAME:
        raise
    except BatchTooLarge:
        log.info("What the rules make of %s is too large at once: it is halved.", task.batch)
        batches.split(task.batch, worker)
    except Exception as error:
        log.warning("%s can't be saved.", task.batch, exc_info=True)
        if not batches.split(task.batch, worker):
            fail(task, worker, _because(error))


def fail(task: Task, worker: str, reason: str) -> None:
    """Save the record of a batch as failed, for a reason that lies outside of its rules."""
    reading = task.reading.result()
    outcomes = [crashed(record, reason) for record in reading.records]
    results = prepare(task.batch, reading, outcomes, task.rule_set)
    store.save_results(results=results, worker=worker)


def crashed(record: RawRecord, reason: str) -> Outcome:
    """The outcome of a record that could not be processed at all."""
    error = {"rule": "crash", "column": "", "value": None, "message": reason}
    return Outcome(record.id, record.version, False, error_message=reason, errors=[error])


def _because(error: Exception) -> str:
    told = " ".join(str(error).replace("\0", "\ufffd").split())[:300]
    text = (
        f"Processing crashed on this record ({type(error).__name__}{': ' if told else ''}{told})."
    )
    return text.encode("utf-8", "replace").decode()
