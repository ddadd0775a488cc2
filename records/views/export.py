"""Records as a file: those that the explorer shows, under the same parameters."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from records.export.answers import Refused, export_answer
from records.export.options import OptionsForm
from records.filters.names import FACETS, refusal


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The file; what can't be one is said on a page."""
    if sentence := refusal(request.GET, besides=(*FACETS, *OptionsForm.base_fields)):
        raise BadRequest(sentence)
    try:
        return export_answer(request.GET)
    except Refused as error:
        raise BadRequest(str(error)) from error
