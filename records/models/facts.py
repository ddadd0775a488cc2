"""What a run knows about a whole source, so that all its workers judge records alike."""

from django.db import models

from records.models.processing_runs import ProcessingRun
from records.models.sources import RuleSet
from records.models.visibility import VisibleManager


class ProcessingFacts(models.Model):
    """The facts that a version of rules asked for in a run; see processing.jobs.facts."""

    run = models.ForeignKey(ProcessingRun, on_delete=models.CASCADE, related_name="+")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.CASCADE, related_name="+")
    facts = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleManager()

    class Meta:
        db_table = "processing_facts"
        verbose_name_plural = "processing facts"
        constraints = [
            models.UniqueConstraint(fields=["run", "rule_set"], name="facts_of_a_run_once"),
        ]

    def __str__(self) -> str:
        return f"facts of {self.run} for {self.rule_set}"
