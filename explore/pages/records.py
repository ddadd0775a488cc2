"""The page of one record: original data, result and history."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from explore.explorer.table import compare
from explore.history import history
from records.lookups import or_404
from records.models import DataRecord, ProcessingResult, RecordKey


@require_safe
def record(request: HttpRequest, record_id: str) -> HttpResponse:
    """The record with this id, or the way to the one that had it until it got another key."""
    records = DataRecord.objects.select_related("run", "closed_by")
    known = records.find(record_id)
    if known is None and (key := RecordKey.objects.led_from(record_id)) is not None:
        return redirect(DataRecord(id=key.record_id))
    found = or_404(known, f"There is no record with the ID “{record_id}”.")
    results = ProcessingResult.objects.shown("" if found.closed_by_id is None else "1")
    current = results.filter(record=found).select_related("run", "rule_set").first()
    context = {
        "record": found,
        "result": current,
        "cells": compare(found, current),
        "history": history(found),
    }
    return render(request, "explore/record.html", context)
