"""Counts wrong tokens by address, in the cache that all processes share.

Only wrong tokens are slowed down. A right one is accepted from any address: where a proxy that is
not known stands in front, everybody has the same one.
"""

from ipaddress import ip_address, ip_network
from math import ceil
from time import time

from django.core.cache import cache

# So many wrong tokens are answered as such; those after them are not, until the window has passed.
MOST = 20
WINDOW_SECONDS = 300
# Who has one IPv6 address has all of its network.
IPV6_NETWORK = 64


def count_wrong(address: str) -> int:
    """Count a wrong token from an address.

    Returns the seconds until the next one counts if there have been too many, else 0.
    """
    key, now = f"wrong-tokens:{_network(address)}", time()
    count, since = cache.get(key) or (0, now)
    left = ceil(since + WINDOW_SECONDS - now)
    if left <= 0:
        count, since, left = 0, now, WINDOW_SECONDS
    if count >= MOST:
        return left
    cache.set(key, (count + 1, since), timeout=left)
    return 0


def _network(address: str) -> str:
    """Under which name an address is counted."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(ip_network((int(parsed), IPV6_NETWORK), strict=False))
