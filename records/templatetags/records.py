"""How templates show records and runs."""

from typing import Any

from django import template
from django.shortcuts import resolve_url
from django.utils.html import format_html
from django.utils.safestring import SafeString

from records import reject_codes
from records.models import DataRecord, IngestionRun, RunState
from records.models.runs import Run
from records.notes import is_warning
from records.number_decision import described
from records.number_text import style_of
from web.templatetags.show import badge

register = template.Library()


register.filter("reject_title", reject_codes.title_of)
register.filter("is_warning", is_warning)

STARTED = {
    "api": "through the API",
    "events": "by events",
    "command": "from the command line",
    "page": "in the browser",
    "sample": "with the sample data",
    "schedule": "on schedule",
    "upload": "by upload",
    "worker": "automatically",
}


@register.filter
def started_by(run: Run) -> str:
    """Who started a run, or else how it was started."""
    return f"by {run.user}" if run.user else STARTED.get(run.trigger, f"by {run.trigger}")


@register.simple_tag
def reject_catalogue(chosen: str = "") -> list[tuple[str, str]]:
    """The reject codes and their titles, by title; with the chosen one though it is not known."""
    codes = {*reject_codes.CATALOGUE, *filter(None, [chosen])}
    return sorted(((code, reject_codes.title_of(code)) for code in codes), key=lambda pair: pair[1])


@register.filter
def record_url(record_id: str) -> str:
    """The page of the record with this id, whatever its key holds."""
    return resolve_url(DataRecord(id=record_id))


@register.filter
def number_style(parameters: dict[str, Any]) -> str:
    """How the numbers of a column are written, in words."""
    return described(style_of(parameters))


@register.simple_tag
def run_badge(run: Run) -> SafeString:
    """The state of a run; one that ended well without a single record is no success, and one whose
    worker is gone does not run. One that waits for its environment is not merely queued."""
    if run.is_waiting:
        return format_html('<span class="badge badge-warning">{}</span>', "waiting")
    if run.state == RunState.RUNNING and not run.is_held:
        return format_html('<span class="badge badge-warning">{}</span>', "interrupted")
    if isinstance(run, IngestionRun) and run.landed_nothing:
        return format_html(
            '<span class="badge badge-warning">{}, nothing imported</span>', run.state
        )
    return badge(run.state)
