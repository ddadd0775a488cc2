"""Requests that no page of the admin makes: none is answered by an internal error."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from tests.records.test_admin import TABLES, everything, url
from tests.records.test_admin_lists import offered

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def everything_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Something in every table; each test undoes what it changes of it."""
    with django_db_blocker.unblock(), transaction.atomic():
        everything()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("table", TABLES)
def test_no_parameter_of_a_list_is_answered_by_an_internal_error(everything_once, admin, table):
    for query in ("q=a%00b", "q=%FF", "p=x", "p=99999", "q=" + "9" * 40):
        response = admin.get(f"{url(table, 'changelist')}?{query}", follow=True)
        assert response.status_code == 200, query


@pytest.mark.parametrize("table", TABLES)
def test_no_filter_of_a_list_is_answered_by_an_internal_error(everything_once, admin, table):
    """A database refuses some values, each one its own: these are 400, the others find nothing."""
    model = apps.get_model("records", table)
    admin.raise_request_exception = False
    for name in [*offered(model, admin), "o", "_facets", "_to_field", "e"]:
        for lookup in ("", "__in"):
            for value in ("%00", "a%00b", "9223372036854775808"):
                address = f"{url(table, 'changelist')}?{name}{lookup}={value}"
                before = transaction.savepoint()
                response = admin.get(address, follow=True)
                transaction.savepoint_rollback(before)
                assert response.status_code in (200, 400), address
                if response.status_code == 400:
                    assert "Bad request" in response.content.decode()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("key", ["a\0b", "9223372036854775808", "9" * 40, "\U0001f4a9"])
def test_no_key_and_no_action_is_answered_by_an_internal_error(everything_once, admin, table, key):
    admin.raise_request_exception = False
    for page in ("change", "delete", "history"):
        for send in (admin.get, admin.post):
            address = url(table, page, quote(key).replace("\0", "_00"))
            assert send(address, {"post": "yes"}).status_code in (302, 400, 403, 404), address
    for action in ("delete_selected", "process_again", key):
        form = {"action": action, "_selected_action": [key], "post": "yes", "index": "0"}
        response = admin.post(url(table, "changelist"), form)
        assert response.status_code in (200, 302, 400, 403), action
