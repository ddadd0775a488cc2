"""The explorer: records by filter, page by page in the order of their ids or timestamps."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from records.cells import as_rows
from records.filters import RecordFilter
from records.models import DataRecord, Source
from records.pagination import InvalidCursor, page_of
from records.requests import PageRequest, wants_part

PAGE = 50
COLUMNS = 5
ORDERS = {
    "id": "Id, ascending",
    "-id": "Id, descending",
    "-timestamp": "Newest first",
    "timestamp": "Oldest first",
}
FILTERS = ("source", "status", "q", "run")


@require_safe
def explorer(request: PageRequest) -> HttpResponse:
    """The page; for htmx only the list of records in it."""
    order = request.GET.get("sort") or "id"
    if order not in ORDERS:
        raise BadRequest(f"There is no order “{order}”. Choose one of {', '.join(ORDERS)}.")
    found = RecordFilter(request.GET, queryset=DataRecord.objects.all())
    context = {
        "filter": found,
        "sources": Source.objects.names(),
        "statuses": DataRecord.Status.values,
        "orders": ORDERS,
        "order": order,
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
    }
    status = 200
    if found.is_valid():
        try:
            page = page_of(
                found.qs,
                cursor=request.GET.get("cursor"),
                limit=PAGE,
                descending=order.startswith("-"),
                time="timestamp" if order.endswith("timestamp") else None,
            )
        except InvalidCursor as error:
            raise BadRequest(str(error)) from error
        context["page"] = page
        context["columns"], context["rows"] = as_rows(page.records, limit=COLUMNS)
    else:
        status = 400
    is_part = wants_part(request)
    template = "records/_records.html" if is_part else "records/explorer.html"
    response = render(request, template, context, status=200 if is_part else status)
    patch_vary_headers(response, ["HX-Request"])
    return response
