"""How templates show rules."""

from django import template

from processing.rules import describe

register = template.Library()

register.filter("in_words", describe)
