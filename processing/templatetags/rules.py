"""How templates show rules."""

from django import template

from processing.rules import KINDS, describe

register = template.Library()

register.filter("in_words", describe)


@register.filter
def rule_title(code: str) -> str:
    """The title of a kind of rules; one that is not known by its code."""
    return KINDS[code].title if code in KINDS else code
