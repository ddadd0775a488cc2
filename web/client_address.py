"""The address of the client that sent a request."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# A provider gives each customer so many bits of IPv6 addresses to choose from.
IPV6_NETWORK_BITS = 64


def client_address(request: HttpRequest) -> str:
    """The IP address of the client; empty if the connection has none.

    Each proxy appends the address of whoever it was called by to ``X-Forwarded-For``. Only what
    the last TRUSTED_PROXIES of them wrote counts: a client can write anything before that.
    """
    connected = _parsed(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.TRUSTED_PROXIES
    if trusted and connected is not None:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        connected = _parsed(forwarded[-min(trusted, len(forwarded))]) or connected
    return str(connected or "")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, which some proxies write with the port; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    # A zone is meaningful to the server's own machine only.
    return found.ipv4_mapped or IPv6Address(int(found))


def network_of(address: str) -> str:
    """As what an address is counted: who has one of IPv6 has all of its network."""
    if ":" not in address:
        return address
    return str(ip_network((ip_address(address), IPV6_NETWORK_BITS), strict=False))
