"""Refuses requests beyond the limits of their sender."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from web.api.problems import is_api, problem_answer
from web.errors import too_many
from web.throttling.limits import Over, count_request


class Throttle:
    """Answers 429 to who sends too many; what is asked to see if the site is alive passes.

    Static files are answered before this. The user of a token is known to the API only, which
    counts for them in `web.throttling.api`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in settings.HEALTH_PATHS:
            try:
                count_request(request)
            except Over as over:
                return _without_log(_answer(request, over))
        answer = self.get_response(request)
        return _without_log(answer) if answer.status_code == 429 else answer


def _without_log(answer: HttpResponseBase) -> HttpResponseBase:
    """The answer, which Django does not log: a flood must not fill the disk.

    The counts log the first refusal of a client a minute.
    """
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _answer(request: HttpRequest, over: Over) -> HttpResponseBase:
    if not is_api(request.path_info):
        return too_many(request, str(over), seconds=over.seconds)
    answer = problem_answer(request, str(over), status=429)
    answer["Retry-After"] = str(over.seconds)
    return answer
