"""Counts wrong tokens by address, in the cache that all processes share.

Only wrong tokens are slowed down. A right one is accepted from any address: where a proxy that is
not known stands in front, everybody has the same one.
"""

from math import ceil
from time import time

from django.core.cache import cache

from web.client_address import network_of

# So many wrong tokens are answered as such; those after them are not, until the window has passed.
MOST = 20
WINDOW_SECONDS = 300


def count_wrong(address: str) -> int:
    """Count a wrong token from an address.

    Returns the seconds until the next one counts if there have been too many, else 0.
    """
    key, now = f"wrong-tokens:{network_of(address)}", time()
    count, since = cache.get(key) or (0, now)
    left = ceil(since + WINDOW_SECONDS - now)
    if left <= 0:
        count, since, left = 0, now, WINDOW_SECONDS
    if count >= MOST:
        return left
    cache.set(key, (count + 1, since), timeout=left)
    return 0
