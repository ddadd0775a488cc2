"""The active rule set of a source."""

from processing.rules.defaults import default_rules
from records import store
from records.models import RuleSet, Source

LONGEST_NOTE = 500


def rule_set_for(source: Source) -> RuleSet:
    """The newest rule set of a source; made from its mapping if it has none.

    Default rules follow the mapping: when that has changed, the next version is made from it.
    Rules that a person saved stay.
    """
    current = source.current_rule_set
    rules = default_rules(source.mapping)
    if current is not None and (not current.is_default or current.rules == rules):
        return current
    return store.save_rule_set(source=source, rules=rules, note=RuleSet.DEFAULT_NOTE)


def note_problem(note: str) -> str | None:
    """Why a version that a person saves can't have this note, as a sentence; None if it can."""
    if note == RuleSet.DEFAULT_NOTE:
        return "This note is reserved for default rules. Enter a different one."
    if len(note) > LONGEST_NOTE or "\0" in note:
        return f"A note can have at most {LONGEST_NOTE} characters and no NUL."
    return None
