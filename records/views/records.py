"""The page of one record: the row as read, what became of it, and where it came from."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from records.cells import compare
from records.models import DataRecord, ProcessingResult

# A record that is edited for ever still has a page.
HISTORY = 50


@require_safe
def record(request: HttpRequest, record_id: str) -> HttpResponse:
    """The record with this id."""
    found = DataRecord.objects.select_related("run").find(record_id)
    if found is None:
        raise Http404(f"There is no record with the id “{record_id}”.")
    history = ProcessingResult.objects.of_record(found.pk).select_related("run", "rule_set")
    results = list(history.order_by("-pk")[:HISTORY])
    current = next((result for result in results if result.current), None)
    context = {
        "record": found,
        "result": current,
        "cells": compare(found, current),
        "former_results": [result for result in results if result is not current],
        "versions": found.versions.select_related("run", "replaced_by_run", "replaced_by_user")[
            :HISTORY
        ],
    }
    return render(request, "records/record.html", context)
