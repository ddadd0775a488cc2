"""Facts about sources, kept with the run that they were gathered for."""

from typing import Any

from records.models import ProcessingFacts, ProcessingRun, RuleSet


def keep_facts(*, run: ProcessingRun, rule_set: RuleSet, facts: dict[str, Any]) -> ProcessingFacts:
    """Keep facts for the other workers of a run. Of several that gather them at the same time,
    the first decides: what is returned are the facts that count."""
    kept, _ = ProcessingFacts.objects.get_or_create(
        run=run, rule_set=rule_set, defaults={"facts": facts}
    )
    return kept
