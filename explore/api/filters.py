"""The record filter of an API request."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from explore.filters import RecordFilter


def valid_filter(request: Request, records: Any) -> RecordFilter:
    """The filter, which is valid. Raises the API's ValidationError."""
    found = RecordFilter(request.query_params, queryset=records, request=request)
    if not found.is_valid():
        raise ValidationError(found.errors)
    return found
