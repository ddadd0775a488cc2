"""Share links: their list, and what they show to whoever has one."""

from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.rights import for_an_account, granted_sources
from explore.charts.bundle import bundle
from explore.filters import RecordQuery
from explore.saved import share_links as links
from explore.saved.sharing import CannotSave
from explore.saved.tiles import Tile, tile_of, tiles_of
from records.lookups import by_id, row_or_404
from records.models import Dashboard, SavedQuestion, ShareLink
from records.permissions import Action, may
from records.visible_sources import limited_to
from web.requests import PageRequest

LISTED = 500
INVALID = "This link does not exist, has expired or was revoked. Ask whoever sent it for a new one."


@for_an_account
@require_safe
def share_links(request: PageRequest) -> HttpResponse:
    """The links of the reader; those of everybody for who manages tokens."""
    rows = _manageable(request).with_targets()[:LISTED]
    return render(request, "explore/share_links.html", {"links": rows, "listed": LISTED})


@for_an_account
@require_http_methods(["GET", "HEAD", "POST"])
def new_share_link(request: PageRequest) -> HttpResponse:
    """Create a link to ``?question=`` or ``?dashboard=``; its URL is in this response only."""
    target = _target(request)
    context: dict[str, Any] = {
        "target": target,
        "lifetimes": links.LIFETIMES,
        "default": links.DEFAULT_LIFETIME,
        "origins": settings.EMBED_ORIGINS,
    }
    status = 200
    if request.method == "POST":
        days = request.POST.get("days", "")
        try:
            link, token = links.create_link(
                user=request.user,
                target=target,
                days=int(days) if days.isascii() and days.isdigit() else 0,
            )
        except CannotSave as error:
            context["error"], status = str(error), 400
        else:
            url = request.build_absolute_uri(reverse("shared", args=[token]))
            context |= {"link": link, "url": url}
            status = 201
    return render(request, "explore/new_share_link.html", context, status=status)


@require_POST
def revoke_share_link(request: PageRequest, pk: int) -> HttpResponse:
    """End a link."""
    links.revoke(row_or_404(_manageable(request), pk, "share link of yours,"))
    messages.success(request, "Share link revoked.")
    return redirect("share-links")


@login_not_required
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a link shows, with the rights of who made it. Other sites may embed it if allowed."""
    link = links.opened(token)
    if link is None:
        response = render(request, "404.html", {"sentence": INVALID}, status=404)
    else:
        response = _shown(request, link)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if settings.EMBED_ORIGINS:
        embeddable = csp_replace({"frame-ancestors": settings.EMBED_ORIGINS})
        return embeddable(xframe_options_exempt(lambda request: response))(request)
    return response


def _shown(request: HttpRequest, link: ShareLink) -> HttpResponse:
    has_links = request.user.is_authenticated and may(request.user, Action.READ)
    with limited_to(granted_sources(link.maker)):
        context = {
            "name": str(link.target),
            "tiles": _tiles(link, has_links=has_links),
            "bundle": bundle(),
        }
        return render(request, "explore/shared.html", context)


def _tiles(link: ShareLink, *, has_links: bool) -> list[Tile]:
    if link.dashboard is not None:
        query = RecordQuery.parse(QueryDict(link.dashboard.query))
        return tiles_of(link.dashboard, query, has_links=has_links)
    if link.question is None:
        return []
    return [tile_of(link.question, RecordQuery(), has_links=has_links)]


def _manageable(request: PageRequest) -> Any:
    rows = ShareLink.objects.all()
    return rows if may(request.user, Action.MANAGE_TOKENS) else rows.of(request.user)


def _target(request: PageRequest) -> SavedQuestion | Dashboard:
    """What a link is to be made to: something that the reader sees. Raises Http404."""
    for name, rows in (
        ("question", SavedQuestion.objects.listed_for(request.user)),
        ("dashboard", Dashboard.objects.shared_with(request.user)),
    ):
        text = request.GET.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 20:
            found: SavedQuestion | Dashboard | None = by_id(rows, int(text))
            if found is not None:
                return found
    raise Http404("There is no such question or dashboard to share.")
