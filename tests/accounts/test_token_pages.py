"""People make and revoke their API tokens on a page of their own, administrators all of them."""

import re
import shlex
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import ApiToken, TokenKind
from tests.landed import land, sale
from tests.markup import href, sent_by, texts, tree
from tests.tokens import token_of

pytestmark = pytest.mark.django_db

OWN, ALL = "/account/tokens/", "/settings/tokens/"


@pytest.fixture
def ada(client) -> User:
    user = User.objects.create_user("ada", password="a long password")
    user.user_permissions.add(Permission.objects.get(codename="view_datarecord"))
    client.force_login(user)
    return user


@pytest.fixture
def manager(client) -> User:
    user = User.objects.create_user("manager")
    permissions = ("change_apitoken", "view_datarecord")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def new_token(client: Client, page: str = OWN, **given: Any) -> Any:
    """The response to the form of the page, filled in."""
    (form,) = tree(client.get(page).content.decode()).select("main form")
    return client.post(page, sent_by(form) | {"name": "laptop"} | given)


def shown(response: Any, field: str) -> str:
    (found,) = tree(response.content.decode()).select(f"#{field}")
    return str(found["value"])


def test_the_first_call_is_reached_in_five_clicks_from_an_account_without_tokens(ada, client):
    land("shop", {"1": sale(1)})
    # The menu of the account, its entry, the button, and Copy.
    assert href(client.get("/").content.decode(), f'.menu a[href="{OWN}"]')
    created = new_token(client)
    assert created.status_code == 201
    assert created.headers["Cache-Control"] == "private, no-store"
    command = shlex.split(shown(created, "call"))
    assert command[:2] == ["curl", "-H"]
    name, _, value = command[2].partition(": ")
    answer = APIClient().get(command[3], headers={name: value})
    assert answer.status_code == 200
    assert [record["source"] for record in answer.data["records"]] == ["shop"]


def test_a_token_is_shown_once(ada, client):
    text = shown(new_token(client), "token")
    page = client.get(OWN).content.decode()
    assert text not in page
    assert text.split("_")[2] not in page
    assert ApiToken.objects.get().prefix in page


def test_the_list_says_what_each_token_is_for(ada, client):
    land("shop", {"1": sale(1)})
    new_token(client, scope="write", sources=["shop"], days="365")
    token = ApiToken.objects.get()
    ApiToken.objects.update(last_used_at=token.created_at, last_used_from="203.0.113.7")
    (row,) = tree(client.get(OWN).content.decode()).select("tbody tr")
    assert texts(row, "th") == [f"laptop{token.prefix}…"]
    cells = texts(row, "td")
    assert cells[:2] == ["Read and write", "shop"]
    assert cells[3] == f"{token.expires_at:%d %b %Y}"
    assert "from 203.0.113.7" in cells[4]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "two\nlines"}, "one line"),
        ({"days": "9999"}, "Select a valid choice"),
        ({"days": ""}, "This field is required."),
        ({"scope": "admin"}, "Select a valid choice"),
        ({"sources": ["none"]}, "Select a valid choice"),
    ],
)
def test_what_makes_no_token_is_named(ada, client, given, sentence):
    response = new_token(client, **given)
    assert response.status_code == 400
    assert any(sentence in error for error in texts(response.content.decode(), "#errors p"))
    assert not ApiToken.objects.exists()


def test_sending_the_form_again_makes_no_second_token(ada, client):
    new_token(client)
    assert new_token(client).status_code == 400
    assert ApiToken.objects.count() == 1


def test_a_token_is_revoked_after_a_question(ada, client):
    text = token_of(ada, name="laptop")
    link = href(client.get(OWN).content.decode(), 'tbody a[aria-label="Revoke laptop"]')
    assert link is not None
    assert "Revoke API token “laptop”?" in client.get(link).content.decode()
    assert APIClient().get("/api/", headers={"authorization": f"Token {text}"}).status_code == 200
    assert client.post(link)["Location"] == OWN
    assert APIClient().get("/api/", headers={"authorization": f"Token {text}"}).status_code == 401
    page = client.get(OWN).content.decode()
    assert "Revoked" in page
    assert href(page, "tbody a") is None


def test_the_tokens_of_others_are_neither_shown_nor_revoked(ada, client):
    token_of(User.objects.create_user("grace"), name="private")
    link = f"/account/tokens/{ApiToken.objects.get().pk}/revoke/"
    assert "private" not in client.get(OWN).content.decode()
    for response in (client.get(link), client.post(link), client.get("/account/tokens/9/revoke/")):
        assert response.status_code == 404
    assert client.get(ALL).status_code == client.post(ALL).status_code == 403
    assert ApiToken.objects.get().is_usable


def test_administrators_see_and_revoke_the_tokens_of_everybody(manager, client):
    token_of(User.objects.create_user("grace"), name="report")
    assert href(client.get(OWN).content.decode(), f'main a[href="{ALL}"]')
    assert any("grace" in cell for cell in texts(client.get(ALL).content.decode(), "tbody td"))
    link = f"/account/tokens/{ApiToken.objects.get().pk}/revoke/"
    assert client.post(link)["Location"] == ALL
    assert not ApiToken.objects.get().is_usable


def test_administrators_make_service_tokens_for_who_may_do_no_more(manager, client):
    User.objects.create_user("robot")
    User.objects.create_superuser("root")
    assert new_token(client, ALL, owner="robot", days="").status_code == 201
    token = ApiToken.objects.get()
    assert (token.owner.username, token.kind, token.expires_at) == (
        "robot", TokenKind.SERVICE, None,
    )  # fmt: skip
    for owner, sentence in (("root", "may do more than you"), ("nobody", "no such user")):
        response = new_token(client, ALL, owner=owner)
        assert response.status_code == 400
        assert sentence in response.content.decode()


def test_the_lists_take_the_same_queries_however_long_they_are(manager, client):
    def queries(page: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(page).status_code == 200
        return len(asked)

    token_of(manager)
    before = queries(OWN), queries(ALL)
    for number in range(5):
        token_of(User.objects.create_user(f"user {number}"))
        token_of(manager)
    assert (queries(OWN), queries(ALL)) == before


def test_no_page_of_tokens_is_for_the_anonymous(client):
    for page in (OWN, ALL, "/account/tokens/1/revoke/"):
        assert re.match(r"/login/\?next=", client.get(page)["Location"])
