"""The limit of a user over all their tokens."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from web.throttling.limits import Over, count_user

if TYPE_CHECKING:
    # It imports the throttles of the settings itself.
    from rest_framework.views import APIView


class PerUser(BaseThrottle):
    """Counts requests by token for the user; those by session were counted by the middleware."""

    seconds = 0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.auth is None or request.user.pk is None:
            return True
        try:
            count_user(request.user.pk)
        except Over as over:
            self.seconds = over.seconds
            return False
        return True

    def wait(self) -> float:
        return self.seconds
