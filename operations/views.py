"""What programs that watch the installation ask."""

from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from accounts.tokens.identify import Refused, sent_text
from explore.health import OK
from operations.metrics.exposition import CONTENT_TYPE, written
from operations.metrics.readings import read_metrics
from operations.probes import readiness
from web.client_address import client_address


@login_not_required
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; it asks nothing of the database."""
    return JsonResponse({"status": "live", "version": settings.VERSION})


@login_not_required
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether requests can be served."""
    parts = readiness()
    is_ready = all(state == OK for state in parts.values())
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", **parts}, status=200 if is_ready else 503
    )


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus."""
    if not settings.METRICS_TOKEN and not settings.METRICS_NETWORKS:
        return _refused(404, "Metrics are off. Set DATAFLOW_METRICS_TOKEN to read them.")
    if settings.METRICS_NETWORKS and not _is_in_network(request):
        return _refused(403, "Metrics can't be read from your address.")
    if settings.METRICS_TOKEN and not _has_token(request):
        refused = _refused(401, "Send the metrics token as Authorization: Bearer.")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    return HttpResponse(written(read_metrics()), content_type=CONTENT_TYPE)


def _refused(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")


def _is_in_network(request: HttpRequest) -> bool:
    address = client_address(request)
    return bool(address) and any(
        ip_address(address) in network for network in settings.METRICS_NETWORKS
    )


def _has_token(request: HttpRequest) -> bool:
    try:
        sent = sent_text(request.headers.get("Authorization", ""))
    except Refused:
        return False
    return sent is not None and compare_digest(sent.encode(), settings.METRICS_TOKEN.encode())
