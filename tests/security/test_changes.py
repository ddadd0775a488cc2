"""Nothing changes by GET, and nothing without the token of a form, at any URL of the site."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.landed import land, sale
from tests.security.urls import paths

pytestmark = pytest.mark.django_db

CHANGING = ("post", "put", "patch", "delete")
# What the site notes of its own: sessions, counts, which exports stream, and who did what.
OWN_TABLES = ("django_session", "shared_cache", "export_slots", "audit")
# They take the credentials of a client, and no session.
OF_CLIENTS = ("/oauth/token", "/oauth/revoke")
WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def client() -> Client:
    """A browser of someone who may do everything, on another site's page."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin", password="a long password"))
    return client


def test_the_walk_sees_the_site():
    found = list(paths())
    assert len(found) > 60
    assert {"/", "/upload/", "/login/", "/api/ingest", "/admin/"} <= set(found)


@pytest.mark.parametrize("method", CHANGING)
def test_no_url_takes_a_change_without_the_token_of_a_form(client, method):
    taken = {}
    for path in paths():
        status = getattr(client, method)(path).status_code
        # 401: it takes no sessions, only tokens, which no form of another site can send.
        if status not in (401, 403, 405) and path not in OF_CLIENTS:
            taken[path] = status
    assert taken == {}


def test_nothing_is_written_by_get(client):
    land("shop", {"1": sale(1)})
    wrote, failed = {}, {}
    for path in paths():
        if path == "/logout/":
            continue
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(path)
            if response.streaming:
                list(response.streaming_content)
        found = [
            each["sql"]
            for each in queries
            if each["sql"].startswith(WRITES)
            and not any(table in each["sql"] for table in OWN_TABLES)
        ]
        if found:
            wrote[path] = found
        if response.status_code >= 500 and "health" not in path:
            failed[path] = response.status_code
    assert wrote == {}
    assert failed == {}
