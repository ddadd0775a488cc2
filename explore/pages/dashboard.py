"""The dashboard of one source or all: totals, charts, state of sources and latest runs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from explore import charts
from explore.charts.bundle import bundle
from explore.charts.files import CONTENT_TYPES, file_of
from explore.dashboard.ranges import RANGES, InvalidRange, Range
from explore.dashboard.tiles import tiles_of
from explore.metrics import record_counts
from explore.metrics.figures import Figures, figures_of, is_by_hour, state_of
from explore.metrics.freshness import freshness
from explore.metrics.record_counts import Days, Totals
from explore.metrics.run_speed import speed
from explore.metrics.scope import Scope
from explore.saved.dashboards import first_page_of
from records.lookups import source_or_404
from records.models import Source
from records.run_kinds import latest_runs
from records.unread_values import unread_values
from web import conditional
from web.requests import PageRequest, wants_part

LATEST_RUNS = 6
# Seconds after which the page asks whether anything has changed, while a run works and else.
PAUSE, LONG_PAUSE = 2, 10


@dataclass
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

    @cached_property
    def state(self) -> str:
        return state_of(self.days)

    @property
    def is_of_many(self) -> bool:
        """Whether records of several sources are shown."""
        return self.source is None and len(self.sources) > 1

    @cached_property
    def per_source(self) -> dict[str, Totals]:
        return record_counts.by_source(self.scope.span)

    @property
    def valued(self) -> Source:
        """The source whose values are shown: values of different ones can't be compared, so those
        of the largest one stand for themselves."""
        if not self.is_of_many:
            return self.source or self.sources[0]
        totals = self.per_source
        return max(self.sources, key=lambda item: totals.get(item.name, Totals()).total)

    @property
    def before(self) -> Totals | None:
        """The totals of as many days right before the range."""
        span = self.scope.span and self.scope.span.before()
        return self.days.within(span).totals if span else None


@gzip_page
@require_safe
def dashboard(request: PageRequest) -> HttpResponse:
    """``?source=`` picks a source, ``?range=`` or ``?from=`` and ``?to=`` the days, and
    ``?repaired=1`` takes repairs in. ``?counted=1`` waits for what takes long to count.

    A script of the page asks for the part that moves, and gets it if it has changed. Without
    parameters, who has chosen another dashboard as the first page is led there.
    """
    if not request.GET and not wants_part(request):
        chosen = first_page_of(request.user)
        if chosen is not None:
            return redirect(chosen)
    picked = _picked(request)
    figures = _figures(picked, wait=request.GET.get("counted") == "1")
    runs = latest_runs(LATEST_RUNS, source=picked.source).runs
    fresh = freshness(picked.source.name if picked.source else None)
    healths = [(item.source, item.state, item.last, item.failing) for item in fresh]
    # Where figures are still to be counted, those that the page has may be of another state.
    known = figures.state if figures else picked.state
    unread = unread_values(picked.source.name if picked.source else None)
    unread_counts = [(item.source, item.filled, item.unread) for item in unread]
    tag = conditional.tag_of(
        picked.state, known, conditional.facts_of(runs), healths, unread_counts
    )

    def context() -> dict[str, Any]:
        is_working = any(run.is_active for run in runs)
        moving = {
            "runs": runs,
            "freshness": fresh,
            "unread_values": unread,
            "tag": tag,
            "pause": PAUSE if is_working else LONG_PAUSE,
        }
        return _context(picked, figures) | moving

    if wants_part(request):
        return conditional.unless_same(
            request, tag, lambda: render(request, "explore/_live.html", context())
        )
    return render(request, "explore/dashboard.html", context())


def _context(picked: Picked, figures: Figures | None) -> dict[str, Any]:
    name = picked.source.name if picked.source else None
    span = picked.scope.span
    return {
        "sources": picked.sources,
        "source": picked.source,
        "ranges": RANGES,
        "range": picked.range,
        "repaired": picked.repaired,
        "span": span,
        "before": span.before() if span else None,
        "tiles": tiles_of(picked.shown.totals, picked.scope, picked.before),
        "undated": picked.days.undated.total if span else 0,
        "has_records": bool(picked.days.totals.total),
        "known": _known(picked),
        "bundle": bundle(),
        "speeds": speed(name),
        **_of_results(picked, figures),
    }


@gzip_page
@require_safe
def counted(request: PageRequest) -> HttpResponse:
    """The charts that take long to count, for htmx; anybody else gets them with the page."""
    picked = _picked(request)
    if not request.htmx:
        query = "&".join(filter(None, [picked.query, "counted=1"]))
        return redirect(f"{reverse('dashboard')}?{query}")
    context = _of_results(picked, _figures(picked, wait=True))
    return render(request, "explore/_counted.html", context)


@require_safe
def chart_file(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """One chart of the dashboard as a file: its drawing, or its numbers as CSV."""
    if kind not in CONTENT_TYPES:
        raise Http404(f"Charts are available as {', '.join(CONTENT_TYPES)}, not as “{kind}”.")
    picked = _picked(request)
    counted = _of_results(picked, _figures(picked, wait=True))
    for chart in [*_known(picked), *counted["charts"]]:
        if chart.id == name and chart.rows:
            response = HttpResponse(file_of(chart, kind), content_type=CONTENT_TYPES[kind])
            attached = content_disposition_header(True, f"{name}.{kind}")
            response["Content-Disposition"] = attached or ""
            return response
    raise Http404(f"There is no chart “{name}” for these records.")


def _picked(request: HttpRequest) -> Picked:
    sources = list(Source.objects.all())
    source = _picked_source(request, sources)
    try:
        picked_range = Range.picked(request.GET)
    except InvalidRange as error:
        raise BadRequest(str(error)) from error
    repaired = request.GET.get("repaired") or "0"
    if repaired not in ("0", "1"):
        raise BadRequest(f"“repaired” must be 0 or 1, not “{repaired[:50]}”.")
    days = record_counts.by_day(source.name if source else None)
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
    return source_or_404(name, among=sources) if name else None


def _known(picked: Picked) -> list[charts.Chart]:
    """The charts of what is known without counting."""
    known: list[charts.Chart] = []
    if not picked.shown.totals.total:
        return known
    if not is_by_hour(picked.scope):
        known.append(charts.over_time(picked.shown, picked.scope))
    if picked.is_of_many:
        known.append(charts.by_source(picked.per_source, picked.scope))
    return known


def _figures(picked: Picked, *, wait: bool) -> Figures | None:
    """The figures of what is picked; None where there is nothing, or it takes long to count."""
    if not picked.shown.totals.total:
        return None
    return figures_of(
        picked.scope,
        # A look at all results is cheaper than one for which their source is to be told.
        valued=picked.valued.name if len(picked.sources) > 1 else None,
        repaired=picked.repaired,
        days=picked.days,
        state=picked.state,
        wait=wait,
    )


def _of_results(picked: Picked, figures: Figures | None) -> dict[str, Any]:
    """The charts of results, and what is to be said of them."""
    return {
        "charts": _counted(picked, figures, picked.valued) if figures else [],
        "figures": figures,
        "has_to_count": figures is None and bool(picked.shown.totals.total),
        "query": picked.query,
    }


def _counted(picked: Picked, figures: Figures, valued: Source) -> list[charts.Chart]:
    """The charts that can say something about the selection."""
    scope, repaired = picked.scope, picked.repaired
    of_values = scope.of(valued.name) if picked.is_of_many else scope
    name = valued.name if picked.is_of_many else ""
    column = next(iter(valued.mapping.get("value") or ()), "value")
    notes = charts.left_out(figures.values.left_out)
    shown = [
        charts.values_over_time(
            figures.series, column, of_values, repaired=repaired, name=name, notes=notes
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
