"""Tests of rules on all records, as background jobs; see processing.jobs.rule_report."""

from django.contrib.auth.models import User
from django_q.tasks import async_task

from processing.errors import ProcessingError
from processing.jobs.process import QUEUE
from processing.jobs.rule_report import rehearse
from processing.rules import Step
from processing.rules.check import check_rules
from records.database.clock import now
from records.errors import LeaseLost
from records.jobs import runs
from records.models import RecordCount, Rehearsal, RunState, Source


def start(source: Source, rules: list[Step], *, user: User | None = None) -> Rehearsal:
    """Have a worker test a draft; earlier tests of the source that are still active are cancelled.

    Raises InvalidRules.
    """
    check_rules(rules)
    for earlier in Rehearsal.objects.filter(source=source).active():
        runs.stop(earlier)
    rehearsal = Rehearsal.objects.create(
        source=source,
        rules=rules,
        total=RecordCount.objects.selected("all", source.name),
        how="page",
        user=user,
        woken_at=now(),
    )
    wake(rehearsal)
    return rehearsal


def wake(rehearsal: Rehearsal) -> None:
    """Wake a worker for a test."""
    async_task("processing.tasks.rehearse", rehearsal.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for every test that waits for one, or whose worker is gone."""
    for rehearsal in runs.stalled(Rehearsal):
        wake(rehearsal)


def carry_out(rehearsal_id: int, worker: str) -> Rehearsal | None:
    """Run a test and save its report; None if another worker holds it, or it has ended.

    A test that is resumed starts from the beginning.
    """
    rehearsal = runs.claim(Rehearsal, rehearsal_id, worker)
    if rehearsal is None:
        return None

    def on_chunk(done: int) -> None:
        held = Rehearsal.objects.filter(pk=rehearsal.pk, worker=worker, state=RunState.RUNNING)
        if not held.update(done=done, lease_until=runs.lease_end(), attempts=1):
            raise LeaseLost(rehearsal)

    with runs.working_on(rehearsal, worker, refusals=(ProcessingError,)):
        still_here = runs.renewing(rehearsal, worker)
        report = rehearse(rehearsal.source, rehearsal.rules, on_chunk, still_here)
        runs.finish(rehearsal, worker, report=report, done=report["records"])
    return Rehearsal.objects.filter(pk=rehearsal.pk).first()
