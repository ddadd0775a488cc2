"""Restricts requests to the public internet and to networks that the operator allows. Pure.

A host is resolved once, all of its addresses are checked, and the connection goes to a checked
address: a name that resolves to another one a moment later can't get around the check.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.connection import create_connection

from ingestion.feeds.errors import AddressRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# Formally public, but answered inside the local network: the metadata service of Azure, protocol
# addresses (with Oracle's metadata service), 6to4 relays.
NOT_PUBLIC = [ip_network(net) for net in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")]
NAT64 = ip_network("64:ff9b::/96")


def refuse_if_inside(host: str, addresses: Sequence[str], allowed: Sequence[Network]) -> None:
    """Raise AddressRefused if one of the addresses is neither public nor allowed."""
    for text in addresses:
        address = ip_address(text.split("%")[0])
        if any(_within(each, allowed) for each in (address, meant(address))):
            continue
        if not is_public(address):
            raise AddressRefused(host, text)


def is_public(address: Address) -> bool:
    """Whether an address, and the IPv4 address that it may embed, is on the internet."""
    target = meant(address)
    if target != address and not isinstance(target, IPv4Address):
        return False
    return target.is_global and not (
        target.is_multicast or target.is_reserved or _within(target, NOT_PUBLIC)
    )


def meant(address: Address) -> Address:
    """The IPv4 address embedded in an IPv6 address (mapped, 6to4, Teredo, NAT64); else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == net.version and address in net for net in networks)


def _connect(connection: HTTPConnection, allowed: Sequence[Network]) -> socket.socket:
    host = connection._dns_host
    try:
        found = socket.getaddrinfo(host.strip("[]"), connection.port, 0, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, reason) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    refuse_if_inside(host, addresses, allowed)
    failure: Exception | None = None
    for address in addresses:
        try:
            return create_connection(
                (address, connection.port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except TimeoutError as error:
            failure = ConnectTimeoutError(connection, f"{host} did not answer in time")
            failure.__cause__ = error
        except OSError as error:
            failure = NewConnectionError(connection, f"{host}: {error.strerror or error}")
            failure.__cause__ = error
    raise failure or NewConnectionError(connection, f"{host} has no address")


def _without_rest(response: HTTPResponse) -> HTTPResponse:
    """Close the connection of an error response instead of draining its body."""
    if response.status >= 300:
        response.drain_conn = response.close  # type: ignore[method-assign]
    return response


def guarded_pools(
    allowed: Sequence[Network],
) -> dict[str, type[HTTPConnectionPool]]:
    """The pools for a PoolManager that connects to checked addresses only, by scheme."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allowed)

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]
            return _without_rest(super().getresponse())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allowed)

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]
            return _without_rest(super().getresponse())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
