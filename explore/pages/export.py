"""Records as a file: those that the explorer shows, under the same parameters."""

from django.core.exceptions import BadRequest
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from explore.export import jobs
from explore.export.errors import Refused
from explore.export.options import OptionsForm
from explore.export.request import MOST_AT_ONCE, asked_for
from explore.export.responses import export_answer
from explore.filters.parameters import FACETS, refusal
from records.errors import TooManyExports
from web.errors import too_many
from web.requests import PageRequest


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: PageRequest) -> HttpResponseBase:
    """The file, or by POST the page of the worker's work on it where that takes long; what can't
    be exported is said on a page."""
    if sentence := refusal(request.GET, besides=(*FACETS, *OptionsForm.base_fields)):
        raise BadRequest(sentence)
    try:
        asked = asked_for(request.GET)
        if not asked.is_for_a_worker:
            return export_answer(asked, user=request.user, has_body=request.method != "HEAD")
        if request.method != "POST":
            raise BadRequest(
                f"A workbook of more than {MOST_AT_ONCE:,} records is made in the background. "
                "Start it with the button “XLSX” in the explorer, under “Export”."
            )
        return redirect(jobs.start(asked, user=request.user, how="page"))
    except TooManyExports as error:
        return too_many(request, str(error), seconds=error.seconds)
    except Refused as error:
        raise BadRequest(str(error)) from error
