"""What the database refuses to be asked in the admin is a wrong request, and no fault of ours."""

from django.core.exceptions import BadRequest
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from web.errors import bad_request


class RefusedByDatabase(MiddlewareMixin):
    """Answers 400 where a filter, a key or a choice of the admin fits no column.

    The admin passes on what an address says: each database has values of its own that it can't
    be asked for, such as a NUL character or a number of twenty digits.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.app_name != "admin" or not is_refusal(exception):
            return None
        sentence = "The database can't look for this: a value in the address or the form is none."
        return bad_request(request, BadRequest(sentence))


def is_refusal(exception: Exception) -> bool:
    """Whether the exception is about a value, and was raised where queries are made."""
    # Where PostgreSQL says DataError of a text that is no JSON, SQLite says this.
    is_no_json = isinstance(exception, OperationalError) and "malformed JSON" in str(exception)
    about_a_value = isinstance(exception, ValueError | TypeError | OverflowError | DataError)
    if not (about_a_value or is_no_json):
        return False
    traceback = exception.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals["__name__"] if traceback is not None else ""
    return str(module).startswith("django.db.")
