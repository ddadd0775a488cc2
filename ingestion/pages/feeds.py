"""The pages of automatic imports: edit, test, save, start and remove a feed."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from ingestion.errors import IngestionError
from ingestion.feeds import services
from ingestion.feeds.errors import FeedError, InvalidFeed
from ingestion.feeds.secrets import kept_names
from ingestion.loading.failing import failing
from ingestion.pages.feed_form import FeedForm
from records.lookups import or_404, source_or_404
from records.models import Feed, Source
from records.permissions import Action, check
from web import conditional
from web.requests import PageRequest

SHOWN_ROWS = 5
SHOWN_CHARACTERS = 1_000
LATEST_RUNS = 10


def new_feed(request: PageRequest) -> HttpResponse:
    """The form for a new automatic import."""
    return _page(request, None)


def feed(request: PageRequest, name: str) -> HttpResponse:
    """The form of a source's feed, its next run and its latest runs."""
    return _page(request, source_or_404(name))


@require_POST
def load_now(request: PageRequest, name: str) -> HttpResponse:
    """Import what is there now, and go to the page of the run."""
    check(request.user, Action.CHANGE_FEED)
    check(request.user, Action.IMPORT)
    found = _feed(name)
    try:
        made = services.start(found, trigger="page", user=request.user)
    except FeedError as error:
        messages.error(request, str(error))
        return redirect("feed", name)
    if len(made) == 1:
        return redirect(made[0])
    if made:
        messages.success(request, f"Importing {len(made)} files.")
    elif found.files.filter(run=None).exists():
        again = "check back soon" if found.enabled else "import again in a few seconds"
        messages.info(request, f"Files are imported once they have stopped growing: {again}.")
    else:
        messages.info(request, "There are no new files to import.")
    return redirect("feed", name)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: PageRequest, name: str) -> HttpResponse:
    """Show what removing a feed does, and remove it once that is confirmed."""
    check(request.user, Action.DELETE_FEED)
    found = _feed(name)
    if request.method == "POST":
        services.remove_feed(found)
        messages.success(request, "Automatic import removed.")
        return redirect(found.source)
    context = {
        "feed": found,
        "source": found.source,
        "runs": found.runs.count(),
        "unfetched": services.unfetched(found).count(),
    }
    return render(request, "ingestion/remove_feed.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def _page(request: PageRequest, source: Source | None) -> HttpResponse:
    check(request.user, Action.CHANGE_FEED)
    kept = Feed.objects.filter(source=source).first() if source is not None else None
    form = FeedForm(feed=kept, named=source is not None)
    tried = None
    if request.method == "POST":
        form = FeedForm(request.POST, feed=kept, named=source is not None)
        if form.is_valid():
            try:
                if request.POST.get("do") == "try":
                    tried = _try(form, kept)
                else:
                    name = source.name if source is not None else form.cleaned_data["source"]
                    return _save(request, form, name, is_new=source is None)
            except InvalidFeed as error:
                form.refuse(error)
            except IngestionError as error:
                form.add_error(None, str(error))
    context = {
        "form": form,
        "source": source,
        "feed": kept,
        "kept": kept_names(kept.secrets) if kept is not None else [],
        "unreadable": kept is not None and bool(kept.secrets) and not kept_names(kept.secrets),
        "tried": tried,
        "failing": failing(source.name).get(source.name) if source is not None else None,
    }
    runs = kept.runs.with_source().order_by("-id")[:LATEST_RUNS] if kept is not None else []
    status = 400 if form.errors else 200
    return conditional.with_runs(request, "ingestion/feed.html", context, list(runs), status=status)


def _save(request: PageRequest, form: FeedForm, name: str, *, is_new: bool) -> HttpResponse:
    if is_new and Feed.objects.filter(source__name=name).exists():
        raise InvalidFeed(
            "source",
            f"{name} already has an automatic import. Edit that on the page of the source.",
        )
    said = form.cleaned_data
    services.save_feed(
        source_name=name,
        kind=said["kind"],
        config=form.config,
        secrets=said["secrets"],
        forget_secrets=said["forget_secrets"],
        start_over=said["start_over"],
        schedule=said["schedule"],
        enabled=said["enabled"],
        user=request.user,
    )
    messages.success(request, "Saved.")
    return redirect(reverse("feed", args=[name]))


def _try(form: FeedForm, kept: Feed | None) -> dict[str, object]:
    """The first rows that the API returns."""
    if form.cleaned_data["kind"] != Feed.Kind.HTTP:
        raise InvalidFeed("kind", "Only an API can be tested. A folder is checked on saving.")
    page = services.try_api(form.config, form.cleaned_data["secrets"], kept)
    return {
        "count": len(page.rows),
        "notes": page.notes,
        "rows": [
            row.encode(errors="replace").decode()[:SHOWN_CHARACTERS]
            for row in page.rows[:SHOWN_ROWS]
        ],
    }


def _feed(name: str) -> Feed:
    found = Feed.objects.filter(source=source_or_404(name)).select_related("source").first()
    return or_404(found, f"{name} has no automatic import.")
