"""Versions of the rules of a source."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from records.models import RuleSet, Source


def save_rule_set(
    *,
    source: Source,
    rules: list[dict[str, Any]],
    note: str = "",
    author: User | None = None,
) -> RuleSet:
    """Make the next version of a source's rules; the versions before it stay as they are."""
    with transaction.atomic():
        Source.objects.select_for_update().get(pk=source.pk)
        newest = source.rule_sets.aggregate(newest=Max("version"))["newest"] or 0
        return RuleSet.objects.create(
            source=source, version=newest + 1, rules=rules, note=note, author=author
        )
