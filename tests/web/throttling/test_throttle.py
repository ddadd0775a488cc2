"""Who sends too many requests is refused for a while, as a page or as the API does."""

import time
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from tests.markup import tree
from web.throttling import limits
from web.throttling.counts import Counts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Counts of the test's own, for which time stands still; 5 seconds' worth pass."""
    counts = Counts()
    monkeypatch.setattr(limits, "counts", counts)
    now = time.time()
    monkeypatch.setattr("web.throttling.counts.time.time", lambda: now)
    monkeypatch.setattr("web.throttling.counts.threading.Thread.start", lambda thread: None)
    return counts


@pytest.fixture
def user() -> User:
    return User.objects.create_superuser("reader", password="a long password")


def statuses(client: Client, path: str, number: int, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(number)]


def test_an_address_gets_a_page_that_says_when_to_come_back(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()
    assert 429 not in statuses(client, "/login/", 5)
    answer = client.get("/login/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    said = tree(answer.content.decode()).select_one(".said")
    assert said is not None
    assert said.get_text() == (
        "Too many requests: a client address may send 1 a second. Wait 1 second, then try again."
    )


def test_the_api_answers_in_its_own_way(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()
    statuses(client, "/api/stats", 5)
    answer = client.get("/api/stats")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert answer.json() == {
        "detail": "Too many requests: a client address may send 1 a second. "
        "Wait 1 second, then try again."
    }


def test_version_1_of_the_api_answers_with_a_problem(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()
    statuses(client, "/api/v1/stats", 5)
    answer = client.get("/api/v1/stats")
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")


def test_addresses_are_counted_apart_and_those_of_a_network_of_ipv6_together(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()

    def status(address: str) -> int:
        return client.get("/login/", REMOTE_ADDR=address).status_code

    assert [status("203.0.113.1") for _ in range(6)] == [200] * 5 + [429]
    assert status("203.0.113.2") == 200
    assert [status(f"2001:db8::{each}") for each in range(6)] == [200] * 5 + [429]
    assert status("2001:db8:0:1::1") == 200


def test_a_forged_header_gains_nothing(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()
    sent = [client.get("/login/", headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(6)]
    assert sent[-1].status_code == 429


def test_the_people_of_an_office_have_limits_of_their_own(settings, user):
    settings.REQUESTS_PER_USER = 1
    one, other = Client(), Client()
    one.force_login(user)
    other.force_login(User.objects.create_superuser("other"))
    assert statuses(one, "/account/", 6)[-1] == 429
    assert 429 not in statuses(other, "/account/", 5)
    # Another browser of the same user is no way out.
    again = Client()
    again.force_login(user)
    assert again.get("/account/").status_code == 429


def test_a_token_has_a_limit_whether_or_not_it_is_one(settings):
    settings.REQUESTS_PER_TOKEN = 1
    client = Client()
    assert statuses(client, "/api/stats", 6, Authorization="Token a") == [401] * 5 + [429]
    assert statuses(client, "/api/stats", 1, Authorization="Token b") == [401]


def test_all_tokens_of_a_user_share_the_limit_of_the_user(settings, user):
    settings.REQUESTS_PER_USER = 1
    found = []
    for token in ("one", "two", "three"):
        client = APIClient()
        client.force_authenticate(user, token=cast(Any, token))
        found += statuses(client, "/api/stats", 2)
    assert found == [200] * 5 + [429]
    answer = client.get("/api/stats")
    assert answer["Retry-After"] == "1"


def test_asking_for_the_health_is_not_limited(settings):
    settings.REQUESTS_PER_ADDRESS = 1
    assert 429 not in statuses(Client(), "/health", 6)


def test_refusals_of_a_client_are_logged_once_a_minute(settings, monkeypatch, caplog):
    settings.REQUESTS_PER_ADDRESS = 1
    client = Client()
    statuses(client, "/api/stats", 5)
    assert 200 not in statuses(client, "/api/stats", 20)
    (line,) = [each.getMessage() for each in caplog.records if "equests" in each.getMessage()]
    assert line == "Refused: address:127.0.0.1 sends more than 1 requests a second."
    now = time.time()
    monkeypatch.setattr("web.throttling.counts.time.time", lambda: now + 61)
    statuses(client, "/api/stats", 20)
    lines = [each.getMessage() for each in caplog.records if "equests" in each.getMessage()]
    assert lines == [line, line]
