"""Records as a file: those that the explorer shows, under the same parameters."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from records.export.answers import Refused, export_answer


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The file; what can't be one is said on a page."""
    try:
        return export_answer(request.GET)
    except Refused as error:
        raise BadRequest(str(error)) from error
