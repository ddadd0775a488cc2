"""The upload page, and the preview of an uploaded file."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect, retarget

from accounts import rights
from ingestion.errors import IngestionError, InvalidLimit, InvalidReading, InvalidTimeZone, NoRoom
from ingestion.loading import drafts, dry_runs, previews, rekey
from ingestion.loading.drafts import Choice
from ingestion.loading.inputs import keep_upload, taken
from ingestion.pages import preview_form
from ingestion.pages.upload_form import UploadForm
from ingestion.parsing.inspection import Look
from ingestion.parsing.number_format import ValueCells
from records.jobs.liveness import lacks_worker
from records.jobs.runner import queue
from records.lookups import or_404, row_or_404
from records.models import IngestionRun, RunState, Source
from records.models.sources import OnConflict
from records.permissions import Action, check
from records.visible_sources import check_visible
from web.requests import PageRequest, wants_part

# The fields of a preview, besides parsing options, that show their error.
OTHER_FIELDS = {"max_rejects", "timestamp_zone"}


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: PageRequest) -> HttpResponse:
    """Show the form; store an uploaded file as a draft and go to its preview."""
    check(request.user, Action.IMPORT)
    form, status = UploadForm(), 200
    if request.method == "POST":
        form, status = UploadForm(request.POST, request.FILES), 400
        if form.is_valid():
            if form.cleaned_data["source"]:
                check_visible(form.cleaned_data["source"])
            try:
                with taken(keep_upload(form.cleaned_data["file"])) as stored:
                    run = drafts.create_draft(
                        path=stored.path,
                        file_name=stored.name,
                        source_name=form.cleaned_data["source"] or None,
                        user=request.user,
                    )
            except IngestionError as error:
                form.add_error(None, str(error))
                status = 507 if isinstance(error, NoRoom) else 400
            else:
                return redirect(run)
    context = {
        "form": form,
        "sources": Source.objects.names(),
        "limit": settings.MAX_UPLOAD_BYTES,
    }
    return render(request, "ingestion/upload.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: PageRequest, pk: int) -> HttpResponse:
    """Preview an uploaded file and the changes that its import would make."""
    check(request.user, Action.IMPORT)
    run = _run_or_404(request, pk)
    if run.state != RunState.DRAFT:
        return _leave(request, run)
    if request.method == "POST":
        return _act(request, run)
    seen = previews.look(run)
    is_open = "open" in request.GET or bool(seen.header or seen.obstacle or seen.shared_ids)
    return _show(request, run, seen, is_open=is_open)


@require_safe
def dry_run(request: PageRequest, pk: int) -> HttpResponse:
    """The part of a preview that htmx polls until the dry run has ended."""
    check(request.user, Action.IMPORT)
    run = _run_or_404(request, pk)
    if run.state != RunState.DRAFT or not wants_part(request):
        return _leave(request, run)
    context = _dry_context(run)
    if context["dry"] is not None and context["dry"].is_active:
        return render(request, "ingestion/_dry_progress.html", context)
    seen = previews.look(run)
    if seen.settled:
        # The dry run has found what the form asks for.
        return retarget(_show(request, run, seen), "#preview")
    response = render(request, "ingestion/_dry_run.html", {"seen": seen, **context})
    return retarget(response, "#dry-run")


def _act(request: PageRequest, run: IngestionRun) -> HttpResponse:
    """Apply the chosen settings; import or discard the draft if requested."""
    if request.POST.get("do") == "discard":
        drafts.discard(run)
        messages.success(request, "The file was discarded. Nothing was imported.")
        return redirect("upload")
    if request.POST.get("do") == "move":
        source = Source.objects.named(request.POST.get("source", ""))
        if source is not None:
            drafts.move(run, source)
        return redirect(run)
    seen = previews.look(run)
    if seen.is_busy:
        return _show(request, run, seen, errors={"": seen.error})
    choice = preview_form.choice_of(request.POST, seen)
    if request.POST.get("do") == "rekey":
        return _rekey(request, run, seen, choice)
    if choice.on_conflict != run.source.on_conflict and not run.source.is_draft:
        # The settings of the source are its own page's, which asks for the same.
        check(request.user, Action.CHANGE_SOURCE)
    try:
        changed = drafts.adjust(run, choice, seen)
        if request.POST.get("do") == "load" and not changed:
            drafts.load(
                run,
                seen,
                keeps_ids=request.POST.get(preview_form.SHARED) == "keep",
                closes_many=request.POST.get("closes_many") == "1",
            )
            return redirect(run)
    except InvalidReading as error:
        return _show(request, run, seen, said=choice, errors={error.what: str(error)})
    except InvalidTimeZone as error:
        return _show(request, run, seen, said=choice, errors={"timestamp_zone": str(error)})
    except InvalidLimit as error:
        return _show(request, run, seen, said=choice, errors={"max_rejects": str(error)})
    except IngestionError as error:
        return _show(request, run, seen, errors={"": str(error)})
    if changed and request.POST.get("do") == "load":
        messages.warning(request, "You changed the settings. Check the new preview of changes.")
    if wants_part(request):
        return _show(request, run, previews.look(run))
    return redirect(f"{resolve_url(run)}?open")


def _rekey(request: PageRequest, run: IngestionRun, seen: Look, choice: Choice) -> HttpResponse:
    """Have the stored records of the source given the chosen key."""
    check(request.user, Action.CHANGE_SOURCE)
    try:
        made = rekey.create_rekey(
            source=run.source, columns=choice.mapping["id"], trigger="page", user=request.user
        )
    except IngestionError as error:
        return _show(request, run, seen, errors={"": str(error)})
    queue(made)
    messages.success(
        request,
        f"The stored records of {run.source} are being given the new key. Your upload is kept: "
        "import it when this run has finished.",
    )
    return redirect(made)


def _show(
    request: PageRequest,
    run: IngestionRun,
    seen: Look,
    *,
    said: Choice | None = None,
    errors: dict[str, str] | None = None,
    is_open: bool = True,
) -> HttpResponse:
    part = wants_part(request)
    policy = dry_runs.policy_of(run)
    written = said.reading if said else None
    reading = preview_form.reading_fields(run, seen, written, errors)
    # The other errors are shown beside their fields.
    beside = {field.name for field in reading} | (OTHER_FIELDS if seen.prepared else set())
    context: dict[str, Any] = {
        "seen": seen,
        "reading": reading,
        "summary": preview_form.summary(seen),
        "roles": preview_form.role_fields(seen),
        "zone": said.mapping["timestamp_zone"] if said else seen.mapping["timestamp_zone"],
        "installation_zone": settings.TIME_ZONE,
        "zone_column": preview_form.zone_field(seen),
        "policies": OnConflict.choices,
        "policy": policy,
        "alike": drafts.alike(run, seen),
        "shared_outcome": seen.shared_ids.outcome(policy) if seen.shared_ids else "",
        "is_snapshot": dry_runs.is_snapshot(run),
        "keeps_ids": request.POST.get(preview_form.SHARED) == "keep",
        "max_rejects": said.max_rejects if said else run.max_rejects,
        "errors": errors or {},
        "general_errors": [text for name, text in (errors or {}).items() if name not in beside],
        "is_open": is_open,
        **_dry_context(run),
    }
    template = "ingestion/_preview.html" if part else "ingestion/preview.html"
    # htmx does not swap in responses with an error status.
    status = 507 if seen.no_room else 400 if errors else 200
    return render(request, template, context, status=200 if part else status)


def _dry_context(run: IngestionRun) -> dict[str, Any]:
    dry = dry_runs.latest(run)
    return {
        "run": run,
        "dry": dry,
        "no_worker": dry is not None and lacks_worker(dry),
        "question_of_missing": drafts.question_of_missing(dry),
        "too_many": drafts.too_many_rejects(run, dry),
        "to_fix": dry_runs.to_fix(dry.report) if dry and dry.state == RunState.FINISHED else 0,
        "offers_rekey": dry is not None and rekey.can_be_offered(dry.report),
        "values": ValueCells.from_json(dry.report.get("value_cells") or {}) if dry else None,
    }


def _leave(request: PageRequest, run: IngestionRun) -> HttpResponse:
    """Redirect to the page of the run, which is the preview if it is a draft."""
    if wants_part(request):
        return HttpResponseClientRedirect(resolve_url(run))
    return redirect(run)


def _run_or_404(request: PageRequest, pk: int) -> IngestionRun:
    """The run, unless it is a draft of somebody else."""
    run = row_or_404(IngestionRun.objects.with_source(), pk, "upload")
    is_own = run.state != RunState.DRAFT or rights.is_own(request.user, run.user_id)
    return or_404(run if is_own else None, f"There is no upload {pk}.")
