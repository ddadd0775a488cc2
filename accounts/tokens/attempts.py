"""Counts wrong tokens by address, in a table that all processes share.

Only wrong tokens are slowed down. A right one is accepted from any address: where a proxy that is
not known stands in front, everybody has the same one.
"""

from datetime import timedelta
from ipaddress import ip_address, ip_network
from math import ceil

from django.db.models import F
from django.utils import timezone

from accounts.models import WrongTokens

# So many wrong tokens are answered as such; those after them are not, until the window has passed.
MOST = 20
WINDOW = timedelta(minutes=5)
# Who has one IPv6 address has all of its network.
IPV6_NETWORK = 64


def count_wrong(address: str) -> int:
    """Count a wrong token from an address; returns for how many seconds there were too many: 0 if
    there have not been."""
    now = timezone.now()
    name = _network(address)
    found = WrongTokens.objects.filter(pk=name, since__gt=now - WINDOW).first()
    if found is None:
        WrongTokens.objects.filter(since__lte=now - WINDOW).delete()
        WrongTokens.objects.update_or_create(address=name, defaults={"count": 1, "since": now})
        return 0
    if found.count >= MOST:
        return ceil((found.since + WINDOW - now).total_seconds())
    WrongTokens.objects.filter(pk=name).update(count=F("count") + 1)
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
