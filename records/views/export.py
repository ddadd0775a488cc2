"""Exports records as a file, with the parameters of the explorer."""

from django.core.exceptions import BadRequest
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from records.export import jobs
from records.export.answers import export_answer
from records.export.asked import MOST_AT_ONCE, asked_for
from records.export.errors import Refused, TooManyExports
from records.export.options import OptionsForm
from records.filters.names import FACETS, refusal
from records.requests import PageRequest
from records.views.errors import too_many


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: PageRequest) -> HttpResponseBase:
    """The file, or, by POST, the page of a job that creates a large one; errors are shown on a
    page."""
    if sentence := refusal(request.GET, besides=(*FACETS, *OptionsForm.base_fields)):
        raise BadRequest(sentence)
    try:
        asked = asked_for(request.GET)
        if not asked.is_for_a_worker:
            return export_answer(asked, user=request.user, has_body=request.method != "HEAD")
        if request.method != "POST":
            raise BadRequest(
                f"Workbooks of more than {MOST_AT_ONCE:,} records are created in the background. "
                "Start the export with the “XLSX” button under “Export” in the explorer."
            )
        return redirect(jobs.start(asked, user=request.user, how="page"))
    except TooManyExports as error:
        return too_many(request, str(error), seconds=error.seconds)
    except Refused as error:
        raise BadRequest(str(error)) from error
