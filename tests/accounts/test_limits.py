"""How often passwords may be tried."""

import time
from contextlib import ExitStack
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.test import Client

from accounts.models import AuditEntry
from tests.accounts.people import is_in, person, sign_in
from tests.markup import texts
from tests.site import Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("ada", email="ada@example.com")


@pytest.fixture
def later(monkeypatch):
    """Lets that many seconds pass for the limits."""

    def pass_by(seconds):
        now = time.time() + seconds
        monkeypatch.setattr(ratelimit.time, "time", lambda: now)

    return pass_by


def first_refused(attempts):
    """The number of the first answer that is 429; each after it must be, too."""
    statuses = [response.status_code for response in attempts]
    first = statuses.index(429)
    assert set(statuses[:first]) == {200}
    assert set(statuses[first:]) == {429}
    return first + 1


def test_wrong_passwords_are_refused_after_the_fifth(ada):
    assert first_refused(sign_in("ada", f"wrong {i}") for i in range(30)) == 6


def test_a_forged_header_changes_nothing(ada):
    forged = (
        sign_in("ada", "wrong", **{"X-Forwarded-For": f"198.51.100.{number}"})
        for number in range(30)
    )
    assert first_refused(forged) == 6


def test_a_header_forged_before_a_trusted_proxy_changes_nothing(ada, settings):
    settings.TRUSTED_PROXIES = 1
    forged = (
        sign_in("ada", "wrong", **{"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"})
        for number in range(30)
    )
    assert first_refused(forged) == 6


def test_attempts_from_many_addresses_are_refused_before_the_twentieth(ada):
    addresses = (f"198.51.100.{number}" for number in range(30))
    assert first_refused(sign_in("ada", "wrong", address=each) for each in addresses) == 16


def test_one_account_is_counted_as_one_however_it_is_called(ada):
    names = ["ada", "ADA", "ada@example.com", "Ada@Example.com", " ada "] * 6
    assert first_refused(sign_in(name, "wrong") for name in names) == 6


def test_the_names_of_hosts_do_not_multiply_attempts(ada):
    hosts = ["localhost", "127.0.0.1", "[::1]"] * 10
    assert first_refused(sign_in("ada", "wrong", Host=host) for host in hosts) == 6


def test_one_address_tries_no_list_of_names():
    assert first_refused(sign_in(f"name {number}", "wrong") for number in range(30)) == 16


def test_addresses_of_one_ipv6_network_count_as_one():
    addresses = (f"2001:db8::{number:x}" for number in range(30))
    tries = (sign_in(f"name of {each}", "wrong", address=each) for each in addresses)
    assert first_refused(tries) == 16


def test_people_behind_one_proxy_do_not_share_a_limit(ada, settings):
    settings.TRUSTED_PROXIES = 1
    for number in range(30):
        sign_in(f"name {number}", "wrong", **{"X-Forwarded-For": "203.0.113.9"})
    assert sign_in("ada", **{"X-Forwarded-For": "203.0.113.10"}).status_code == 302


def test_the_right_password_is_not_looked_at_either_once_attempts_are_refused(ada):
    for _ in range(6):
        sign_in("ada", "wrong")
    assert sign_in("ada").status_code == 429


def test_the_audit_log_tells_once_that_an_address_is_blocked(ada):
    for number in range(12):
        sign_in("ada" if number < 8 else f"name {number}", "wrong", address="203.0.113.7")
    entry = AuditEntry.objects.get(action="sign_in.blocked")
    assert (entry.by, entry.user_name, entry.address) == ("nobody", "ada", "203.0.113.7")
    for _ in range(6):
        sign_in("eve", "wrong", address="203.0.113.8")
    names = AuditEntry.objects.filter(action="sign_in.blocked").values_list("user_name", flat=True)
    assert sorted(names) == ["ada", "eve"]


def test_the_refusal_says_how_long_to_wait(ada):
    response = [sign_in("ada", "wrong") for _ in range(6)][-1]
    assert response.headers["Retry-After"] == "600"
    said = texts(response.content.decode(), ".said")
    assert said == ["Too many failed attempts to log in. Wait ten minutes, then try again."]


def test_waiting_as_long_as_told_is_enough(ada, later):
    response = [sign_in("ada", "wrong") for _ in range(30)][-1]
    later(int(response.headers["Retry-After"]))
    assert sign_in("ada").status_code == 302


def test_someone_elsewhere_does_not_lock_a_person_out(ada):
    for _ in range(30):
        sign_in("ada", "wrong", address="198.51.100.1")
    assert sign_in("ada").status_code == 302


def test_someone_everywhere_does_not_lock_a_person_out_where_they_are_signed_in(ada):
    sign_in("ada", address="203.0.113.7")
    for number in range(30):
        sign_in("ada", "wrong", address=f"198.51.100.{number}")
    assert sign_in("ada", address="203.0.113.8").status_code == 429
    assert sign_in("ada", address="203.0.113.7").status_code == 302


def test_right_passwords_are_not_counted_as_failures(ada):
    assert [sign_in("ada").status_code for _ in range(20)] == [302] * 20


def test_a_right_password_does_not_wipe_out_failures_before_it(ada):
    person("eve")
    for number in range(15):
        sign_in(f"name {number}", "wrong")
        assert sign_in("eve").status_code in (302, 429)
    assert sign_in("another name", "wrong").status_code == 429


def test_limits_are_counted_where_all_processes_see_them():
    assert isinstance(caches["default"], DatabaseCache)


def test_the_present_password_is_not_tried_without_end_by_who_finds_a_browser_open(ada):
    client = Client()
    sign_in("ada", client=client)
    given = {"oldpassword": "wrong", "password1": "x", "password2": "x"}
    statuses = [client.post("/account/password/", given).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert is_in(client)


@pytest.mark.cluster
def test_the_processes_of_a_site_count_together(own_installation):
    own_installation.environment["WEB_WORKERS"] = "2"
    with ExitStack() as stack:
        site = Site(own_installation, "--no-samples")
        stack.callback(site.interrupt)
        statuses = [_post(site, {"username": "admin", "password": f"{i}"}) for i in range(12)]
        assert statuses == [200] * 5 + [429] * 7


def _post(site, given):
    """The status of the answer to a browser of its own, and so to any of the processes."""
    cookies = CookieJar()
    opener = build_opener(HTTPCookieProcessor(cookies))
    opener.open(f"{site.url}/login/").close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    headers = {"X-CSRFToken": token, "Referer": site.url}
    try:
        with opener.open(Request(f"{site.url}/login/", urlencode(given).encode(), headers)) as got:
            return got.status
    except HTTPError as error:
        return error.code
