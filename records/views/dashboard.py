"""The dashboard: totals, charts, the state of sources and the latest runs, of one source or all."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from records import charts, run_stats, stats
from records.charts.files import CONTENT_TYPES, file_of
from records.figures import Figures, figures_of, is_by_hour
from records.models import Source
from records.ranges import RANGES, InvalidRange, Range
from records.requests import PageRequest
from records.scope import Scope
from records.stats import Days, Totals
from records.tiles import tiles_of
from records.views.runs import latest_runs

LATEST_RUNS = 6


@dataclass(frozen=True)
class Picked:
    """What the parameters pick, and the counters of it."""

    sources: list[Source]
    source: Source | None
    range: Range
    repaired: bool
    # Of the source, whatever their date; and those of the range.
    days: Days
    shown: Days
    scope: Scope

    @property
    def query(self) -> str:
        """The parameters once more."""
        parameters = {
            "source": self.source.name if self.source else "",
            "range": "" if self.range.name in ("all", "custom") else self.range.name,
            "from": self.range.first or "",
            "to": self.range.last or "",
            "repaired": "1" if self.repaired else "",
        }
        return urlencode({name: value for name, value in parameters.items() if value})

    @property
    def before(self) -> Totals | None:
        """The totals of as many days right before the range."""
        span = self.scope.span and self.scope.span.before()
        return self.days.within(span).totals if span else None


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """``?source=`` picks a source, ``?range=`` or ``?from=`` and ``?to=`` the days, and
    ``?repaired=1`` takes repairs in. ``?counted=1`` waits for what takes long to count."""
    picked = _picked(request)
    name = picked.source.name if picked.source else None
    known, counted = _charts(picked, wait=request.GET.get("counted") == "1")
    span = picked.scope.span
    context = {
        "sources": picked.sources,
        "source": picked.source,
        "ranges": RANGES,
        "range": picked.range,
        "repaired": picked.repaired,
        "span": span,
        "before": span.before() if span else None,
        "query": picked.query,
        "tiles": tiles_of(picked.shown.totals, picked.scope, picked.before),
        "undated": picked.days.undated.total if span else 0,
        "has_records": bool(picked.days.totals.total),
        "known": known,
        "bundle": _bundle(),
        "freshness": run_stats.freshness(name),
        "speeds": run_stats.speed(name),
        "runs": latest_runs(LATEST_RUNS, source=picked.source),
        **counted,
    }
    return render(request, "records/dashboard.html", context)


@require_safe
def counted(request: PageRequest) -> HttpResponse:
    """The charts that take long to count, for htmx; anybody else gets them with the page."""
    picked = _picked(request)
    if not request.htmx:
        query = "&".join(filter(None, [picked.query, "counted=1"]))
        return redirect(f"{reverse('dashboard')}?{query}")
    _, context = _charts(picked, wait=True)
    return render(request, "records/_counted.html", context)


@require_safe
def chart_file(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """One chart of the dashboard as a file: its drawing, or its numbers as CSV."""
    if kind not in CONTENT_TYPES:
        raise Http404(f"Charts come as {', '.join(CONTENT_TYPES)}, not as “{kind}”.")
    known, context = _charts(_picked(request), wait=True)
    for chart in [*known, *context["charts"]]:
        if chart.id == name and chart.rows:
            response = HttpResponse(file_of(chart, kind), content_type=CONTENT_TYPES[kind])
            attached = content_disposition_header(True, f"{name}.{kind}")
            response["Content-Disposition"] = attached or ""
            return response
    raise Http404(f"There is no chart “{name}” of these records.")


def _picked(request: HttpRequest) -> Picked:
    sources = list(Source.objects.all())
    source = _picked_source(request, sources)
    try:
        picked_range = Range.picked(request.GET)
    except InvalidRange as error:
        raise BadRequest(str(error)) from error
    repaired = request.GET.get("repaired") or "0"
    if repaired not in ("0", "1"):
        raise BadRequest(f"“repaired” is 0 or 1, not “{repaired[:50]}”.")
    days = stats.by_day(source.name if source else None)
    span = picked_range.span(days)
    return Picked(
        sources=sources,
        source=source,
        range=picked_range,
        repaired=repaired == "1",
        days=days,
        shown=days.within(span) if span else days,
        scope=Scope(source.name if source else None, span),
    )


def _picked_source(request: HttpRequest, sources: list[Source]) -> Source | None:
    name = request.GET.get("source", "")
    if not name:
        return None
    for source in sources:
        if source.name == name:
            return source
    raise Http404(f"There is no source “{name}”.")


def _charts(picked: Picked, *, wait: bool) -> tuple[list[charts.Chart], dict[str, Any]]:
    """The charts of what is known without counting, and the rest with what is to be said of it."""
    known: list[charts.Chart] = []
    context: dict[str, Any] = {"charts": [], "query": picked.query, "has_to_count": False}
    if not picked.shown.totals.total:
        return known, context
    if not is_by_hour(picked.scope):
        known.append(charts.over_time(picked.shown, picked.scope))
    valued = picked.source or picked.sources[0]
    if picked.source is None and len(picked.sources) > 1:
        totals = stats.by_source(picked.scope.span)
        known.append(charts.by_source(totals, picked.scope))
        # Values of different sources can't be compared: the largest one's stand for themselves.
        valued = max(picked.sources, key=lambda item: totals.get(item.name, Totals()).total)
    figures = figures_of(
        picked.scope,
        # A look at all results is cheaper than one for which their source is to be told.
        valued=valued.name if len(picked.sources) > 1 else None,
        repaired=picked.repaired,
        days=picked.days,
        wait=wait,
    )
    if figures is None:
        return known, context | {"has_to_count": True}
    return known, context | {"figures": figures, "charts": _counted(picked, figures, valued)}


def _counted(picked: Picked, figures: Figures, valued: Source) -> list[charts.Chart]:
    """The charts that can say something about the selection."""
    scope, repaired = picked.scope, picked.repaired
    is_one = picked.source is not None or len(picked.sources) == 1
    of_values = scope if is_one else scope.of(valued.name)
    name = "" if is_one else valued.name
    column = next(iter(valued.mapping.get("value") or ()), "value")
    notes = charts.left_out(figures.values.left_out)
    shown = [
        charts.values_over_time(
            figures.course, column, of_values, repaired=repaired, name=name, notes=notes
        ),
        charts.distribution(
            figures.distribution, column, of_values, repaired=repaired, name=name, notes=notes
        ),
        charts.failures(figures.reasons, picked.shown.totals.failed, scope),
        charts.by_category(figures.categories, of_values, name),
        charts.mean_by_category(
            figures.categories, column, of_values, repaired=repaired, name=name, notes=notes
        ),
    ]
    if figures.hours is not None:
        shown.insert(0, charts.over_hours(figures.hours, scope))
    optional = [charts.repairs(figures.repairs, scope), charts.rejections(_codes(picked, figures))]
    return [*shown, *(chart for chart in optional if chart.rows)]


def _codes(picked: Picked, figures: Figures) -> list[tuple[str, int, str]]:
    source = {"source": picked.source.name} if picked.source else {}
    return [
        (code, rows, f"{reverse('rejected')}?{urlencode({'code': code, **source})}")
        for code, rows in figures.codes
    ]


def _bundle() -> str | None:
    """Where the charts' JavaScript is; None where `build_charts` has not made it."""
    try:
        return staticfiles_storage.url("vega.js")
    except ValueError:
        return None
