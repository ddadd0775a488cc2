"""Dashboards that people have made of saved questions."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from explore.charts.bundle import bundle
from explore.filters import RecordQuery
from explore.filters.condition_form import PARTS, with_condition
from explore.filters.operators import OPERATORS
from explore.saved import dashboards as saved
from explore.saved.sharing import CannotSave, audience_of, audiences_for
from explore.saved.tiles import tiles_of
from records.lookups import row_or_404
from records.models import Dashboard, SavedQuestion, Source
from web.requests import PageRequest

# What the form of the filter has fields for.
FIELDS = ("time_from", "time_to")


@require_http_methods(["GET", "HEAD", "POST"])
def dashboards(request: PageRequest) -> HttpResponse:
    """The dashboards that the reader sees; POST makes one."""
    error = ""
    if request.method == "POST":
        try:
            made = saved.create_dashboard(user=request.user, name=request.POST.get("name", ""))
        except CannotSave as refused:
            error = str(refused)
        else:
            return redirect("edit-dashboard", made.pk)
    context = {
        "dashboards": Dashboard.objects.shared_with(request.user).with_people(),
        "first": saved.first_page_of(request.user),
        "error": error,
    }
    return render(request, "explore/dashboards.html", context, status=400 if error else 200)


@gzip_page
@require_safe
def own_dashboard(request: PageRequest, pk: int) -> HttpResponse:
    """The tiles. Without parameters the filter is that of the dashboard."""
    dashboard = row_or_404(
        Dashboard.objects.shared_with(request.user).with_people(), pk, "dashboard"
    )
    if any(name in request.GET for name in PARTS):
        asked = with_condition(request.GET).query_string() or f"{FIELDS[0]}="
        return redirect(f"{dashboard.get_absolute_url()}?{asked}")
    try:
        query = saved.filter_of(request.GET if request.GET else QueryDict(dashboard.query))
    except CannotSave as error:
        raise BadRequest(str(error)) from error
    errors = [text for texts in query.errors.values() for text in texts]
    first = saved.first_page_of(request.user)
    context = {
        "dashboard": dashboard,
        "is_own": dashboard.owner_id == request.user.pk,
        "is_first": first == dashboard,
        "tiles": [] if errors else tiles_of(dashboard, query),
        "errors": errors,
        "bundle": bundle(),
        "is_changed": query.query_string() != dashboard.query,
        **_filter_form(dashboard, query),
    }
    return render(request, "explore/own_dashboard.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_dashboard(request: PageRequest, pk: int) -> HttpResponse:
    """The settings and the tiles of a dashboard of the reader."""
    dashboard = _own(request, pk)
    error = ""
    if request.method == "POST":
        name, audience = request.POST.get("name", ""), request.POST.get("audience", "")
        try:
            saved.change_dashboard(dashboard, name=name, audience=audience)
        except CannotSave as refused:
            error = str(refused)
        else:
            messages.success(request, f"Dashboard “{dashboard.name}” saved.")
            return redirect("edit-dashboard", pk)
    questions = dashboard.questions()
    context = {
        "dashboard": dashboard,
        "tiles": [
            {**tile, "saved": questions.get(tile.get("question", 0)), "line": _line(tile)}
            for tile in dashboard.tiles
        ],
        "questions": SavedQuestion.objects.listed_for(request.user).with_people(),
        "audiences": audiences_for(request.user),
        "audience": audience_of(dashboard),
        "widths": saved.WIDTHS,
        "longest": saved.LONGEST_TEXT,
        "error": error,
    }
    return render(request, "explore/edit_dashboard.html", context, status=400 if error else 200)


@require_POST
def change_tiles(request: PageRequest, pk: int) -> HttpResponse:
    """Add a question or a text, or change the tile at a place."""
    dashboard, sent = _own(request, pk), request.POST
    try:
        if "question" in sent:
            saved.add_tile(dashboard, {"question": _number(sent, "question")})
        elif "place" not in sent:
            saved.add_tile(dashboard, {"text": sent.get("text", "")})
        elif "text" in sent:
            saved.set_text(dashboard, _number(sent, "place"), sent["text"])
        else:
            saved.change_tile(dashboard, _number(sent, "place"), sent.get("change", ""))
    except CannotSave as error:
        messages.error(request, str(error))
    return redirect("edit-dashboard", pk)


@require_POST
def keep_filter(request: PageRequest, pk: int) -> HttpResponse:
    """Make the filter of the URL that of the dashboard."""
    dashboard = _own(request, pk)
    try:
        saved.change_dashboard(dashboard, query=request.GET.urlencode())
    except CannotSave as error:
        raise BadRequest(str(error)) from error
    messages.success(request, "Filter saved.")
    return redirect(dashboard)


@require_POST
def delete_dashboard(request: PageRequest, pk: int) -> HttpResponse:
    """Delete a dashboard of the reader; its questions stay."""
    dashboard = _own(request, pk)
    dashboard.delete()
    messages.success(request, f"Dashboard “{dashboard.name}” deleted.")
    return redirect("dashboards")


@require_POST
def choose_first_page(request: PageRequest) -> HttpResponse:
    """Take a dashboard for the first page of the reader; none for the automatic one."""
    number = request.POST.get("dashboard", "")
    chosen = None
    if number:
        seen = Dashboard.objects.shared_with(request.user)
        chosen = row_or_404(seen, _number(request.POST, "dashboard"), "dashboard")
    saved.choose_first_page(user=request.user, dashboard=chosen)
    messages.success(request, "Your first page was changed.")
    return redirect("dashboard")


def _line(tile: dict[str, Any]) -> str:
    return " ".join(tile.get("text", "").split())


def _own(request: PageRequest, pk: int) -> Dashboard:
    return row_or_404(Dashboard.objects.owned_by(request.user), pk, "dashboard of yours,")


def _filter_form(dashboard: Dashboard, query: RecordQuery) -> dict[str, Any]:
    """What the form of the filter shows."""
    questions = dashboard.questions().values()
    sources = Source.objects.all()
    names = {name for each in questions for name in each.sources}
    if names and all(each.sources for each in questions):
        sources = sources.filter(name__in=names)
    columns = [name for row in sources.values_list("columns", flat=True) for name in row]
    return {
        "filter": query,
        "query": query.query_string(),
        "chips": query.chips(),
        "hidden": [
            (name, text)
            for name, texts in query.chosen.items()
            if name not in FIELDS
            for text in texts
        ],
        "columns": list(dict.fromkeys(columns))[:200],
        "operators": {key: operator.words for key, operator in OPERATORS.items()},
    }


def _number(sent: QueryDict, name: str) -> int:
    text = sent.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404(f"“{name}” must be a number, not “{text[:50]}”.")
    return int(text)
