"""The explorer: filtered records, page by page, sorted by ID or timestamp."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from explore.explorer.facets import all_facets, quick_facets
from explore.explorer.pages import page_of_records
from explore.explorer.table import as_rows
from explore.export.files import FORMATS
from explore.filters import ORDERS, RecordFilter
from explore.filters.conditions import WORDS, Condition
from explore.filters.links import chips_of, query_of
from explore.filters.parameters import FACETS, refusal
from records.models import DataRecord, SavedView
from web.keyset import InvalidCursor
from web.requests import PageRequest, wants_part
from web.statement_timeout import ASIDE_SECONDS, LIST_SECONDS, TookTooLong, at_most

PAGE = 50
COLUMNS = 5
# A condition on a cell, as the form on the page sends it in parts.
PARTS = ("on", "ask", "of", "than")
# What the page has fields for.
FIELDS = ("q", "time_from", "time_to", "value_from", "value_to", "dated")


@require_safe
def explorer(request: PageRequest) -> HttpResponse:
    """The page; for htmx only the records in it, with what they are filtered by."""
    if any(name in request.GET for name in PARTS):
        query = _with_condition(request.GET)
        return redirect(f"{reverse('explorer')}?{query.urlencode()}")
    if sentence := refusal(request.GET, besides=(*FACETS, "cursor")):
        raise BadRequest(sentence)
    found = RecordFilter(request.GET, queryset=DataRecord.objects.all())
    context = {
        "filter": found,
        "is_filtered": bool(found.chosen),
        "chips": chips_of(found, request.GET),
        "saved_views": SavedView.objects.filter(user=request.user),
        "orders": ORDERS,
        "operators": WORDS,
        **_facets(request, found, counted=request.GET.get("facets") == "1"),
        "formats": FORMATS,
    }
    status = 200
    if found.is_valid():
        try:
            with at_most(LIST_SECONDS):
                cursor = request.GET.get("cursor")
                page = page_of_records(found, found.qs, cursor=cursor, limit=PAGE)
            context["page"] = page
            context["is_empty"] = not (page.records or found.chosen or cursor)
            context["listing"] = as_rows(
                page.records,
                limit=COLUMNS,
                chosen=found.columns,
                of_results=found.result_columns,
            )
        except InvalidCursor as error:
            raise BadRequest(str(error)) from error
        except TookTooLong as error:
            context["too_long"] = str(error)
            status = 503
    else:
        status = 400
    is_part = wants_part(request)
    template = "explore/_records.html" if is_part else "explore/explorer.html"
    response = render(request, template, context, status=200 if is_part else status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def facets(request: PageRequest) -> HttpResponse:
    """The facets of the page with their counts, for htmx; anybody else gets them with the page."""
    if sentence := refusal(request.GET, besides=(*FACETS, "cursor")):
        raise BadRequest(sentence)
    if not request.htmx:
        query = query_of(request.GET)
        query["facets"] = "1"
        return redirect(f"{reverse('explorer')}?{query.urlencode()}")
    found = RecordFilter(request.GET, queryset=DataRecord.objects.all())
    context = _facets(request, found, counted=True)
    response = render(request, "explore/_facets.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _facets(request: PageRequest, found: RecordFilter, *, counted: bool) -> dict[str, Any]:
    """What the facets show; without ``counted`` only what is known without counting."""
    column = request.GET.get("facet", "")
    shown = quick_facets(request.GET) if found.is_valid() else []
    too_long = False
    if counted and found.is_valid():
        try:
            with at_most(ASIDE_SECONDS):
                shown = all_facets(request.GET, column=column)
        except TookTooLong:
            too_long = True
    visible = {(facet.name, item.value) for facet in shown for item in facet.values}
    return {
        "facets": shown,
        "facets_took_too_long": too_long,
        "is_counted": counted or not found.is_valid(),
        "column": column,
        "query": query_of(request.GET).urlencode(),
        # What no field on the page shows, and its form has to send all the same.
        "hidden": [
            (name, value)
            for name, values in found.chosen.items()
            if name not in FIELDS
            for value in values
            if (name, value) not in visible
        ],
    }


def _with_condition(parameters: QueryDict) -> QueryDict:
    """The query with the condition that a form has sent in parts, if it names a column."""
    query = query_of(parameters, without=PARTS)
    if column := parameters.get("on", ""):
        condition = Condition(column, parameters.get("ask", ""), parameters.get("than", ""))
        query.appendlist("result" if parameters.get("of") == "result" else "where", str(condition))
    return query
