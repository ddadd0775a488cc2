"""The explorer: records by filter, page by page in the order of their ids or timestamps."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from records.cells import as_rows
from records.export.files import FORMATS
from records.filters import ORDERS, RecordFilter
from records.filters.conditions import WORDS, Condition
from records.filters.links import chips_of, query_of
from records.models import DataRecord, Source
from records.pagination import InvalidCursor, page_of
from records.requests import PageRequest, wants_part

PAGE = 50
COLUMNS = 5
# A condition on a cell, as the form on the page sends it in parts.
PARTS = ("on", "ask", "of", "than")
# What the page has fields for.
FIELDS = ("q", "time_from", "time_to", "value_from", "value_to", "source", "status")


@require_safe
def explorer(request: PageRequest) -> HttpResponse:
    """The page; for htmx only the records in it, with what they are filtered by."""
    if any(name in request.GET for name in PARTS):
        query = _with_condition(request.GET)
        return redirect(f"{reverse('explorer')}?{query.urlencode()}")
    found = RecordFilter(request.GET, queryset=DataRecord.objects.all())
    context = {
        "filter": found,
        "is_filtered": bool(found.chosen),
        "chips": chips_of(found, request.GET),
        "sources": Source.objects.names(),
        "statuses": DataRecord.Status.values,
        "orders": ORDERS,
        "operators": WORDS,
        "hidden": _hidden(found),
        "query": query_of(request.GET).urlencode(),
        "formats": FORMATS,
    }
    status = 200
    if found.is_valid():
        order = found.order
        try:
            page = page_of(
                found.qs,
                cursor=request.GET.get("cursor"),
                limit=PAGE,
                descending=order.descending,
                time=order.time,
            )
        except InvalidCursor as error:
            raise BadRequest(str(error)) from error
        context["page"] = page
        context["listing"] = as_rows(page.records, limit=COLUMNS, chosen=found.columns)
    else:
        status = 400
    is_part = wants_part(request)
    template = "records/_records.html" if is_part else "records/explorer.html"
    response = render(request, template, context, status=200 if is_part else status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _hidden(found: RecordFilter) -> list[tuple[str, str]]:
    """The values that no field on the page shows, and that its form has to send all the same."""
    return [
        (name, value)
        for name, values in found.chosen.items()
        if name not in FIELDS
        for value in values
    ]


def _with_condition(parameters: QueryDict) -> QueryDict:
    """The query with the condition that a form has sent in parts, if it names a column."""
    query = query_of(parameters, without=PARTS)
    if column := parameters.get("on", ""):
        condition = Condition(column, parameters.get("ask", ""), parameters.get("than", ""))
        query.appendlist("result" if parameters.get("of") == "result" else "where", str(condition))
    return query
