"""The explorer: filtered records, page by page, sorted by ID or timestamp."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from explore.explorer.facets import all_facets, quick_facets
from explore.explorer.pages import page_of_records
from explore.explorer.table import as_rows
from explore.explorer.total import known_total, total_of
from explore.export.options import KINDS, MADE_WHOLE
from explore.filters import ORDERS, RecordQuery
from explore.filters.condition_form import PARTS, with_condition
from explore.filters.operators import OPERATORS
from explore.filters.parameters import FACETS, query_of_page
from records.models import SavedView
from web.keyset import InvalidCursor
from web.requests import PageRequest, wants_part
from web.statement_timeout import ASIDE_SECONDS, LIST_SECONDS, TookTooLong, at_most

PAGE = 50
COLUMNS = 5
# What the page has fields for.
FIELDS = ("q", "time_from", "time_to", "value_from", "value_to", "dated", "closed")


@require_safe
def explorer(request: PageRequest) -> HttpResponse:
    """The page; for htmx only the records in it, with what they are filtered by."""
    if any(name in request.GET for name in PARTS):
        return redirect(with_condition(request.GET).url())
    query = query_of_page(request.GET, besides=(*FACETS, "cursor"))
    context = {
        "filter": query,
        "is_filtered": bool(query.chosen),
        "chips": query.chips(),
        "saved_views": SavedView.objects.of(request.user),
        "orders": ORDERS,
        "operators": {key: operator.words for key, operator in OPERATORS.items()},
        **_facets(request, query, counted=request.GET.get("facets") == "1"),
        "streamed": [kind for kind in KINDS if kind not in MADE_WHOLE],
        "whole": [("xlsx", "XLSX"), ("parquet", "Parquet")],
        "question_url": f"{reverse('questions')}?{urlencode(query.chosen, doseq=True)}",
    }
    status = 200
    if query.is_valid:
        try:
            with at_most(LIST_SECONDS):
                cursor = request.GET.get("cursor")
                page = page_of_records(query, query.queryset(), cursor=cursor, limit=PAGE)
            context["page"] = page
            context["is_empty"] = not (page.records or query.chosen or cursor)
            context["listing"] = as_rows(
                page.records,
                limit=COLUMNS,
                chosen=query.columns,
                of_results=query.result_columns,
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
    query = query_of_page(request.GET, besides=(*FACETS, "cursor"))
    if not request.htmx:
        return redirect(query.with_("facets", "1").url())
    context = _facets(request, query, counted=True)
    response = render(request, "explore/_facets_and_total.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _facets(request: PageRequest, query: RecordQuery, *, counted: bool) -> dict[str, Any]:
    """What the facets show; without ``counted`` only what is known without counting."""
    column = request.GET.get("facet", "")
    shown = quick_facets(query) if query.is_valid else []
    too_long = False
    if counted and query.is_valid:
        try:
            with at_most(ASIDE_SECONDS):
                shown = all_facets(query, column=column)
        except TookTooLong:
            too_long = True
    visible = {(facet.name, item.value) for facet in shown for item in facet.values}
    return {
        "facets": shown,
        "facets_took_too_long": too_long,
        "is_counted": counted or not query.is_valid,
        "column": column,
        "query": query.query_string(),
        "total": total_of(query) if counted and query.is_valid else known_total(query),
        # What no field on the page shows, and its form has to send all the same.
        "hidden": [
            (name, value)
            for name, values in query.chosen.items()
            if name not in FIELDS
            for value in values
            if (name, value) not in visible
        ],
    }
