"""The dashboard: totals, charts and the latest runs, of one source or of all."""

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from records import charts, stats, value_stats
from records.models import Source
from records.querysets import ResultQuerySet
from records.stats import Days, Span, Totals
from records.views.runs import latest_runs

RANGES = {"7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
LATEST_RUNS = 6


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """``?source=`` picks a source, ``?range=`` the days, ``?repaired=1`` takes repairs in."""
    sources = list(Source.objects.all())
    source = _picked_source(request, sources)
    picked_range = _picked_range(request)
    repaired = _picked_repaired(request)
    days = stats.by_day(source.name if source else None)
    number = RANGES[picked_range]
    span = days.last_days(number) if number else None
    shown = days.within(span) if span else days
    context = {
        "sources": sources,
        "source": source,
        "ranges": RANGES,
        "range": picked_range,
        "repaired": repaired,
        "span": span,
        "totals": shown.totals,
        "undated": days.undated.total if span else 0,
        "has_records": bool(days.totals.total),
        "charts": _charts(shown, span, source, sources, repaired),
        "bundle": _bundle(),
        "runs": latest_runs(LATEST_RUNS, source=source),
    }
    return render(request, "records/dashboard.html", context)


def _picked_source(request: HttpRequest, sources: list[Source]) -> Source | None:
    name = request.GET.get("source", "")
    if not name:
        return None
    for source in sources:
        if source.name == name:
            return source
    raise Http404(f"There is no source “{name}”.")


def _picked_range(request: HttpRequest) -> str:
    picked = request.GET.get("range") or "all"
    if picked not in RANGES:
        raise BadRequest(f"There is no range “{picked}”. Choose one of {', '.join(RANGES)}.")
    return picked


def _picked_repaired(request: HttpRequest) -> bool:
    picked = request.GET.get("repaired") or "0"
    if picked not in ("0", "1"):
        raise BadRequest(f"“repaired” is 0 or 1, not “{picked}”.")
    return picked == "1"


def _charts(
    days: Days, span: Span | None, source: Source | None, sources: list[Source], repaired: bool
) -> list[charts.Chart]:
    """The figures that can say something about the selection."""
    if not days.totals.total:
        return []
    over_time = charts.over_time(days)
    is_all = source is None or len(sources) == 1
    failures = _failures(None if is_all else source, span, days.totals.failed)
    if source is None and len(sources) > 1:
        totals_by_source = stats.by_source(span)
        # Values of different sources can't be compared: the largest one's stand for themselves.
        largest = max(sources, key=lambda item: totals_by_source.get(item.name, Totals()).total)
        results = value_stats.current_results(largest.name, span)
        valued = _value_charts(largest, results, repaired, scope=largest.name)
        return [over_time, charts.by_source(totals_by_source), failures, *valued]
    only = source or sources[0]
    # A look at all results is cheaper than one for which their source is to be told.
    results = value_stats.current_results(None if is_all else only.name, span)
    *by_category, distribution = _value_charts(only, results, repaired)
    return [over_time, distribution, failures, *by_category]


def _failures(source: Source | None, span: Span | None, failed: int) -> charts.Chart:
    results = value_stats.current_results(source.name if source else None, span)
    reasons = value_stats.failure_reasons(results) if failed else []
    return charts.failures(reasons, failed)


def _value_charts(
    source: Source, results: ResultQuerySet, repaired: bool, scope: str = ""
) -> list[charts.Chart]:
    """Categories and values of one source's results."""
    values = value_stats.values(results, repaired=repaired)
    categories = value_stats.categories(results, values, repaired=repaired)
    histogram = value_stats.distribution(results, values, repaired=repaired)
    value_column = next(iter(source.mapping.get("value") or ()), "value")
    notes = charts.left_out(values.left_out)
    return [
        charts.by_category(categories, scope),
        charts.mean_by_category(categories, value_column, scope, notes),
        charts.distribution(histogram, value_column, scope, notes),
    ]


def _bundle() -> str | None:
    """Where the charts' JavaScript is; None where `build_charts` has not made it."""
    try:
        return staticfiles_storage.url("vega.js")
    except ValueError:
        return None
