"""How templates show numbers, times, states and text out of files."""

import json
import unicodedata
from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from web import numbers
from web.control_chars import UNSEEN, escape_control_chars

register = template.Library()

# Cells of more characters are long, and of no more than so many a page can be made.
LONG, MOST_SHOWN = 200, 100_000

register.filter("visible", escape_control_chars)
register.filter("number", numbers.number)
register.filter("percent", numbers.percent)
register.filter("size", numbers.size)
register.filter("duration", numbers.duration)


@register.filter
def is_number(value: object) -> bool:
    """Whether a table shows the value to the right."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@register.filter
def whole(value: float) -> str:
    """A rate, without decimals that nobody can follow."""
    return numbers.number(round(value))


@register.filter
def cell(value: Any) -> str:
    """A cell as text: text as it is, anything else as its JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape_control_chars(text)


@register.simple_tag
def whole_cell(value: Any) -> str | SafeString:
    """A cell with all that it says; a long one is opened for that."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= LONG:
        return escape_control_chars(text)
    return format_html(
        '<details class="long"><summary><span>{}… </span><small>all {} characters</small></summary>'
        "{}</details>",
        escape_control_chars(text[:LONG]),
        numbers.number(len(text)),
        escape_control_chars(text, MOST_SHOWN),
    )


@register.filter
def exact(value: object) -> SafeString:
    """A value that a form sends back as it is: characters that would do something to the text
    around them are written as numbers."""
    return mark_safe(  # noqa: S308 (escaped before)
        "".join(
            f"&#{ord(character)};" if unicodedata.category(character) in UNSEEN else character
            for character in escape(str(value))
        )
    )


@register.filter
def column_name(name: str) -> str:
    """The name of a column; one that nobody could see is said to be none."""
    return escape_control_chars(name) if name.strip() else "(no name)"


@register.filter
def breakable(name: str) -> SafeString:
    """A name of several words, which a narrow line may break between these."""
    return mark_safe(escape(name).replace("_", "_<wbr>"))  # noqa: S308 (escaped before)


@register.filter
def row_text(text: str) -> str:
    """A row of a file, without the end of its last line."""
    return escape_control_chars(text.rstrip("\r\n"))


@register.simple_tag
def when(moment: datetime | None) -> str | SafeString:
    """A moment in the life of the installation: relative, and exact on hover."""
    if moment is None:
        return "—"
    return format_html(
        '<time class="when" datetime="{}"><span>{}</span> <small>{}</small></time>',
        moment.isoformat(timespec="seconds"),
        numbers.ago(moment),
        f"{localtime(moment):%d %b %Y, %H:%M:%S %Z}",
    )


@register.simple_tag
def moment(timestamp: datetime | None) -> str | SafeString:
    """The timestamp of a record: exact, without a relative time."""
    if timestamp is None:
        return "—"
    try:
        shown = localtime(timestamp)
    except OverflowError:
        # On the first and the last day of the calendar it may already lie beyond that.
        shown = timestamp
    return format_html(
        '<time class="moment" datetime="{}">{}</time>',
        timestamp.isoformat(),
        shown.isoformat(" ", "seconds").removesuffix("+00:00"),
    )


@register.simple_tag
def badge(state: str) -> SafeString:
    """A status or a state, by a word and a colour."""
    return format_html('<span class="badge badge-{}">{}</span>', state, state)


@register.simple_tag
def meter(*, label: str, good: float, bad: float) -> SafeString:
    """A bar of two colours, each a share of 1; ``label`` is the id of the words that name it."""
    done = good + bad
    return format_html(
        '<div class="meter" role="progressbar" aria-labelledby="{}" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="{}"><svg viewBox="0 0 1 1" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false">{}{}</svg></div>',
        label,
        f"{done * 100:.1f}",
        _part("good", 0, good),
        _part("bad", good, bad),
    )


def _part(colour: str, start: float, share: float) -> str | SafeString:
    if not share:
        return ""
    return format_html(
        '<rect class="{}" x="{}" width="{}" height="1"/>', colour, f"{start:.4f}", f"{share:.4f}"
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture of the sprite; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("icons.svg"),
        name,
    )
