"""Turns invalid values in admin requests into a 400 response instead of a 500."""

from django.core.exceptions import BadRequest
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from web.errors import bad_request


class RefusedByDatabase(MiddlewareMixin):
    """Answers 400 if a filter, a key or a choice is not valid for its column.

    The admin passes values from the URL to the database, and each database rejects some of them,
    such as a NUL character or a number of twenty digits.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.app_name != "admin" or not is_refusal(exception):
            return None
        sentence = "The address or the form contains a value that the database can't search for."
        return bad_request(request, BadRequest(sentence))


def is_refusal(exception: Exception) -> bool:
    """Whether the exception is about an invalid value in a query."""
    # For text that is not JSON, PostgreSQL raises DataError and SQLite raises this.
    is_no_json = isinstance(exception, OperationalError) and "malformed JSON" in str(exception)
    about_a_value = isinstance(exception, ValueError | TypeError | OverflowError | DataError)
    if not (about_a_value or is_no_json):
        return False
    traceback = exception.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals["__name__"] if traceback is not None else ""
    return str(module).startswith("django.db.")
