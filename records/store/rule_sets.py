"""Versions of the rules of a source."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from records.changes import Change, tell
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
        former = source.current_rule_set
        saved = RuleSet.objects.create(
            source=source,
            version=former.version + 1 if former else 1,
            rules=rules,
            note=note,
            author=author,
        )
        # Default rules follow what a person has changed: the mapping.
        if not saved.is_default:
            tell(
                Change(
                    action="rules.saved",
                    kind="rule set",
                    object_id=saved.pk,
                    label=f"version {saved.version} of {source.name}",
                    source=source.name,
                    before={"version": former.version, "rules": former.rules} if former else None,
                    after={"version": saved.version, "rules": rules, "note": note},
                )
            )
        return saved
