"""Exports records as a file, with the parameters of the explorer."""

from django.core.exceptions import BadRequest
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.rights import for_an_account
from explore.export import jobs
from explore.export.errors import Refused
from explore.export.options import OptionsForm
from explore.export.request import MOST_AT_ONCE, asked_for
from explore.export.responses import export_answer
from explore.filters.parameters import FACETS, refusal
from records.errors import TooManyExports
from web.errors import too_many
from web.requests import PageRequest


@for_an_account
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
                f"Files of this format with more than {MOST_AT_ONCE:,} records are created in the "
                "background. Start the export with its button under “Export” in the explorer."
            )
        return redirect(jobs.start(asked, user=request.user, trigger="page"))
    except TooManyExports as error:
        return too_many(request, str(error), seconds=error.seconds)
    except Refused as error:
        raise BadRequest(str(error)) from error
