"""Rehearsals as pieces of work for the background workers; see processing.jobs.rule_report."""

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
    """Have a worker rehearse a draft; earlier rehearsals of the source that go on are ended.

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
    """Tell a worker to look at a rehearsal."""
    async_task("processing.tasks.rehearse", rehearsal.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for every rehearsal that waits for one, or whose worker is gone."""
    for rehearsal in runs.stalled(Rehearsal):
        wake(rehearsal)


def carry_out(rehearsal_id: int, worker: str) -> Rehearsal | None:
    """Make the report of a rehearsal; None if another worker holds it, or it has ended.

    One that is taken up again begins anew.
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
