"""Tests of rules on all records, as background jobs; see processing.jobs.rule_report."""

from django.contrib.auth.models import User

from processing.errors import ProcessingError
from processing.jobs.rule_report import examine_rules
from processing.lookups import check_lookups
from processing.rules import Step
from processing.rules.check import check_rules
from records.jobs import leases
from records.jobs.job import Job
from records.jobs.runner import queue
from records.models import RecordCount, RuleDryRun, Source


def start(
    source: Source, rules: list[Step], *, trigger: str = "page", user: User | None = None
) -> RuleDryRun:
    """Have a worker test a draft; earlier tests of the source that are still active are cancelled.

    Raises InvalidRules.
    """
    check_rules(rules)
    check_lookups(rules)
    for earlier in RuleDryRun.objects.filter(source=source).active():
        leases.stop(earlier)
    dry_run = RuleDryRun.objects.create(
        source=source,
        rules=rules,
        total=RecordCount.objects.selected("all", source.name),
        trigger=trigger,
        user=user,
    )
    queue(dry_run)
    return dry_run


class DryRunRules(Job[RuleDryRun]):
    """Test draft rules on all records. After an interruption this starts again."""

    refusals = (ProcessingError,)

    def run(self) -> None:
        dry_run = self.row
        report = examine_rules(dry_run.source, dry_run.rules, self._done, self.still_here)
        self.finish(report=report, done=report["records"])

    def _done(self, records: int) -> None:
        # A worker that makes progress is not to blame if the next one dies.
        self.record_progress(done=records, attempts=1)
