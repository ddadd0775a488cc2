"""The address of a client is what the connection or a trusted proxy says."""

import pytest
from django.test import RequestFactory

from web.client_address import client_address


def address(remote: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))


def test_without_proxies_the_header_is_ignored(settings):
    settings.TRUSTED_PROXIES = 0
    assert address("203.0.113.7", "198.51.100.1") == "203.0.113.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (1, "6.6.6.6,198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_trusted_proxies_name_the_client_and_what_it_wrote_itself_does_not_count(
    settings, proxies, forwarded, expected
):
    settings.TRUSTED_PROXIES = proxies
    assert address("10.0.0.1", forwarded) == expected


@pytest.mark.parametrize("forwarded", [None, "", "unknown", "1.2.3.4.5", "1.2.3.4, ,", "::1::2"])
def test_what_is_no_address_is_replaced_by_that_of_the_connection(settings, forwarded):
    settings.TRUSTED_PROXIES = 1
    assert address("10.0.0.1", forwarded) == "10.0.0.1"


def test_a_connection_without_an_address_has_none(settings):
    settings.TRUSTED_PROXIES = 1
    assert address("", "198.51.100.1") == ""
