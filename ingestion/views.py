"""The upload page: a file comes in, and a run takes it from there."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ingestion import runs
from ingestion.errors import IngestionError
from ingestion.forms import UploadForm
from ingestion.inputs import keep_upload
from records.models import Source
from records.requests import PageRequest


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: PageRequest) -> HttpResponse:
    """The form; a file that was sent is kept and queued, and its run's page comes next."""
    if not request.user.has_perm("records.add_ingestionrun"):
        raise PermissionDenied(
            "You may look at records, but not upload any. Ask an administrator for the "
            "permission to add ingestion runs."
        )
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                stored = keep_upload(form.cleaned_data["file"])
                run = runs.create_run(
                    path=stored.path,
                    file_name=stored.name,
                    how="upload",
                    source_name=form.cleaned_data["source"] or None,
                    roles=form.roles,
                    user=request.user,
                )
            except IngestionError as error:
                form.add_error(None, str(error))
            else:
                runs.queue(run)
                return redirect(run)
    context = {
        "form": form,
        "sources": Source.objects.names(),
        "limit": settings.MAX_UPLOAD_BYTES,
    }
    return render(request, "ingestion/upload.html", context, status=400 if form.errors else 200)
