"""Exports as HTTP responses, for pages and the API."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from accounts import audit
from explore.export.errors import Refused
from explore.export.files import export
from explore.export.request import Asked
from explore.export.trail import record_export, record_file
from records.errors import ExportError
from records.jobs import export_slots
from records.models import Export


def export_answer(asked: Asked, *, user: User, has_body: bool = True) -> HttpResponseBase:
    """The file that was asked for, as a stream in a slot of the person's; without ``has_body``
    what is told of it only. Raises Refused and TooManyExports."""
    slot = export_slots.take(user)
    try:
        file = export(
            asked.records,
            options=asked.options,
            seconds=settings.EXPORT_SECONDS,
        )
        if has_body:
            record_file(file, query=asked.query)
    except ExportError as error:
        export_slots.free(slot)
        raise Refused({"format": [str(error)]}) from error
    except BaseException:
        export_slots.free(slot)
        raise
    content = export_slots.HeldContent(file.content, slot)
    if not has_body:
        content.close()
    answer = StreamingHttpResponse(content if has_body else (), content_type=file.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, file.name)
    answer["X-Total-Records"] = str(file.total)
    return answer


def file_answer(export: Export) -> FileResponse | None:
    """The file that a worker has made; None where it has not, or not any more."""
    if not export.is_ready:
        return None
    path: Path = export.path
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    record_export(audit.Action.EXPORT_DOWNLOADED, export)
    return FileResponse(
        file, as_attachment=True, filename=export.file_name, content_type=export.media_type
    )
