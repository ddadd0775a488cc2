"""Tests of rules on all records, as background jobs; see processing.jobs.rule_report."""

from django.contrib.auth.models import User

from processing.errors import ProcessingError
from processing.jobs.rule_report import rehearse
from processing.rules import Step
from processing.rules.check import check_rules
from records.jobs import leases
from records.jobs.job import Job
from records.jobs.runner import queue
from records.models import RecordCount, Rehearsal, Source


def start(source: Source, rules: list[Step], *, user: User | None = None) -> Rehearsal:
    """Have a worker test a draft; earlier tests of the source that are still active are cancelled.

    Raises InvalidRules.
    """
    check_rules(rules)
    for earlier in Rehearsal.objects.filter(source=source).active():
        leases.stop(earlier)
    rehearsal = Rehearsal.objects.create(
        source=source,
        rules=rules,
        total=RecordCount.objects.selected("all", source.name),
        how="page",
        user=user,
    )
    queue(rehearsal)
    return rehearsal


class DryRunRules(Job[Rehearsal]):
    """Test draft rules on all records. After an interruption this starts again."""

    refusals = (ProcessingError,)

    def run(self) -> None:
        rehearsal = self.row
        report = rehearse(rehearsal.source, rehearsal.rules, self._done, self.still_here)
        self.finish(report=report, done=report["records"])

    def _done(self, records: int) -> None:
        # A worker that makes progress is not to blame if the next one dies.
        self.record_progress(done=records, attempts=1)
