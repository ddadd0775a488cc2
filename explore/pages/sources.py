"""The list of sources and the page of each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from explore.dashboard.tiles import tiles_of
from explore.metrics import record_counts
from explore.metrics.record_counts import Totals
from explore.metrics.scope import Scope
from ingestion.loading.failing import failing
from records.lookups import source_or_404
from records.models import Source
from records.run_kinds import latest_runs
from records.unread_values import unread_values
from web import conditional
from web.requests import PageRequest

# The label of each role, and the text for a role without a column.
ROLE_WORDS = {
    "id": ("ID", "None: the key of each record is generated from its content"),
    "timestamp": ("Timestamp", "None: records are not shown over time"),
    "value": ("Value", "None: values are not checked and have no averages"),
    "category": ("Category", "None: records have no category"),
}
LATEST_RUNS = 10


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """Every source with its totals."""
    totals, failed = record_counts.by_source(), failing()
    rows = [
        (source, totals.get(source.name, Totals()), failed.get(source.name))
        for source in Source.objects.with_rule_version()
    ]
    return render(request, "explore/sources.html", {"rows": rows})


@require_safe
def source(request: PageRequest, name: str) -> HttpResponse:
    """The page of one source."""
    found = source_or_404(name)
    latest = latest_runs(LATEST_RUNS, source=found)
    context = {
        "source": found,
        "tiles": tiles_of(record_counts.totals(found.name), Scope(found.name)),
        "roles": [
            (label, found.mapping.get(role) or [], missing)
            for role, (label, missing) in ROLE_WORDS.items()
        ],
        "closed": record_counts.closed(found.name),
        "failing": failing(found.name).get(found.name),
        "unread_values": unread_values(found.name),
        "rule_set": found.current_rule_set,
        "has_older_runs": latest.older is not None,
    }
    return conditional.with_runs(request, "explore/source.html", context, latest.runs)
