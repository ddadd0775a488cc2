"""ETags of records, by which a change is refused that would overwrite what its sender has not seen.

A tag has a digest of what edits change, and one of all that is answered. A change is refused by the
first alone, so that processing a record does not refuse the next edit.
"""

import hashlib
import re
from collections.abc import Callable

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.serializers import RecordDetailSerializer
from records.models import DataRecord

TAG = re.compile(r'"([0-9a-f]{16})\.[0-9a-f]{16}"')
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of the record as you have read it. If its data have been changed "
    "since, nothing happens, and the answer is 412.",
)


class PreconditionFailed(exceptions.APIException):
    """The record is not what the client has seen."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"


def record_answer(record: DataRecord) -> Response:
    """A record with its ETag."""
    said = RecordDetailSerializer(record).data
    return Response(said, headers={"ETag": f'"{_mark(record)}.{_digest(said)}"'})


def is_seen_by(request: Request) -> Callable[[DataRecord], bool] | None:
    """Tells of a record whether it is still what the client has seen, by the If-Match of a change.

    None if any record will do. Raises PreconditionFailed for tags that no record has.
    """
    given = request.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    marks = {found[1] for tag in parse_etags(given) if (found := TAG.fullmatch(tag))}
    if not marks:
        raise PreconditionFailed("If-Match must be the ETag of the record, as it was answered.")
    return lambda record: _mark(record) in marks


def _mark(record: DataRecord) -> str:
    """Differs after each change of the data, and where a record was deleted and imported anew."""
    return _digest((record.version, record.created_at))


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
