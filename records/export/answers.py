"""An export as an HTTP answer, for the page and the API alike."""

from collections.abc import Mapping
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from records.export.errors import ExportError
from records.export.files import export
from records.export.options import OptionsForm
from records.filters import RecordFilter
from records.models import DataRecord


class Refused(Exception):
    """What was asked for can't be exported; ``errors`` are sentences by parameter."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(" ".join(text for said in errors.values() for text in said))
        self.errors = errors


def export_answer(parameters: Any) -> StreamingHttpResponse:
    """The file that the parameters of a URL ask for: a filter, and options. Raises Refused."""
    found = RecordFilter(parameters, queryset=DataRecord.objects.all())
    options = OptionsForm(parameters)
    if not (found.is_valid() and options.is_valid()):
        errors = {**found.errors, **options.errors}
        raise Refused({name: list(map(str, said)) for name, said in errors.items()})
    try:
        file = export(found, kind=options.kind, raw=options.raw_cells, packed=options.packed)
    except ExportError as error:
        raise Refused({"format": [str(error)]}) from error
    answer = StreamingHttpResponse(file.content, content_type=file.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    answer["X-Total-Records"] = str(file.total)
    return answer
