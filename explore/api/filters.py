"""The record filter of an API request."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from explore.filters import RecordQuery


def valid_query(request: Request) -> RecordQuery:
    """The query, which is valid. Raises the API's ValidationError."""
    query = RecordQuery.parse(request.query_params)
    if not query.is_valid:
        raise ValidationError(dict(query.errors))
    return query
