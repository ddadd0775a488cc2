"""How templates show records and runs."""

from django import template
from django.shortcuts import resolve_url
from django.utils.html import format_html
from django.utils.safestring import SafeString

from records.models import DataRecord, IngestionRun, RunState
from records.models.runs import Run
from web.templatetags.show import badge

register = template.Library()


@register.filter
def record_url(record_id: str) -> str:
    """The page of the record with this id, whatever its key holds."""
    return resolve_url(DataRecord(id=record_id))


@register.simple_tag
def run_badge(run: Run) -> SafeString:
    """The state of a run; one that ended well without a single record is no success, and one whose
    worker is gone does not run. One that waits for its environment is not merely queued."""
    if run.is_waiting:
        return format_html('<span class="badge badge-warning">{}</span>', "waiting")
    if run.state == RunState.RUNNING and not run.is_held:
        return format_html('<span class="badge badge-warning">{}</span>', "interrupted")
    if isinstance(run, IngestionRun) and run.landed_nothing:
        return format_html('<span class="badge badge-warning">{}, nothing landed</span>', run.state)
    return badge(run.state)
