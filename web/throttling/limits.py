"""Whether a client has sent more requests than it may."""

import hashlib

from django.conf import settings
from django.http import HttpRequest

from web.client_address import client_address, network_of
from web.throttling.counts import counts


class Over(Exception):
    """A client has sent too many requests; in ``seconds`` it may send more."""

    def __init__(self, rate: int, whose: str, seconds: int) -> None:
        wait = "1 second" if seconds == 1 else f"{seconds} seconds"
        super().__init__(
            f"Too many requests: {whose} may send {rate:,} a second. Wait {wait}, then try again."
        )
        self.seconds = seconds


def count_request(request: HttpRequest) -> None:
    """Count a request for its address, its token and its session's user. Raises Over."""
    if address := client_address(request):
        _count(f"address:{network_of(address)}", settings.REQUESTS_PER_ADDRESS, "a client address")
    if token := request.META.get("HTTP_AUTHORIZATION"):
        digest = hashlib.sha256(token.encode(errors="replace")).hexdigest()
        _count(f"token:{digest}", settings.REQUESTS_PER_TOKEN, "an API token")
    if request.user.is_authenticated:
        count_user(request.user.pk)


def count_user(pk: int) -> None:
    """Count a request of a user, in whatever way they are known. Raises Over."""
    _count(f"user:{pk}", settings.REQUESTS_PER_USER, "a user")


def _count(client: str, rate: int, whose: str) -> None:
    if seconds := counts.seconds_over(client, rate=rate):
        raise Over(rate, whose, seconds)
