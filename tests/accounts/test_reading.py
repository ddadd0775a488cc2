"""Who may read: pages and the API ask for a role, wherever they are in the table of URLs."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.rights import NO_ROLE
from accounts.roles import ROLES
from records.permissions import Action, may
from tests.landed import land, sale
from tests.markup import tree
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db

# What anybody may see besides the pages of signing in: the service and its description.
PUBLIC = {"api-health", "api-schema", "api-docs", "api-problems", "oauth-metadata"}
# What programs ask that watch the installation; metrics need a token of their own.
PUBLIC |= {"health-live", "health-ready", "metrics"}
# Where applications find out how to get access.
PUBLIC |= {"mcp-metadata"}
# What takes the credentials of a client of OAuth 2, and what takes tokens and no sessions.
OF_CLIENTS = {"token", "revoke"}
OF_TOKENS = {"/mcp"}
# What every account may: leave, and see to itself.
OWN = ("logout", "account_logout")


def patterns(
    resolver: URLResolver | None = None, prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """The URLs of the site with an example for each parameter, without those of the admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from patterns(pattern, route)
        else:
            yield route, pattern


def example(route: str) -> str:
    """A URL of a route."""
    for kind, value in {
        "<int:pk>": "1",
        "<source_name:name>": "shop",
        "<record_id:record_id>": "shop:1",
        "<slug:name>": "reprocess",
        "<slug:kind>": "svg",
    }.items():
        route = route.replace(kind, value)
    return f"/{route}"


CLOSED = [
    pytest.param(example(route), id=route or "/")
    for route, pattern in patterns()
    if "<" not in example(route)
    and pattern.name not in (*PUBLIC, *OWN, *OF_CLIENTS)
    and not route.startswith(("login/", "account/"))
]


def test_the_walk_meets_every_app():
    urls = {each.values[0] for each in CLOSED}
    assert {"/", "/stats", "/api/stats", "/upload/", "/sources/shop/rules/", "/runs/"} <= urls


@pytest.mark.parametrize("url", CLOSED)
def test_nothing_is_shown_without_an_account(url):
    answers = [Client().get(url), Client().post(url)]
    for answer in answers:
        assert answer.status_code in (302, 401, 405), answer.status_code
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("url", CLOSED)
def test_an_account_without_a_role_is_told_whom_to_ask(client, url):
    client.force_login(User.objects.create_user("new"))
    answer = client.get(url)
    refused = (401,) if url in OF_TOKENS else (403, 405)
    assert answer.status_code in refused, answer.status_code
    if answer.status_code == 403:
        assert NO_ROLE in answer.content.decode()


def test_the_page_without_a_role_leads_nowhere_but_out(client):
    client.force_login(User.objects.create_user("new"))
    page = tree(client.get("/").content.decode())
    assert not page.select("nav")
    assert page.select_one('form[action="/logout/"]')


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("Viewer", {Action.READ}),
        ("Editor", {Action.READ, Action.IMPORT, Action.CANCEL_IMPORT, Action.RETRY_IMPORT,
                    Action.REPLAY, Action.EDIT_RECORDS, Action.WRITE_SQL}),
        ("Operator", set(Action) - {Action.MANAGE_PEOPLE, Action.MANAGE_TOKENS,
                                    Action.SEE_OPERATIONS}),
        ("Admin", set(Action)),
    ],
)  # fmt: skip
def test_a_role_may_do_what_it_is_for(role, actions):
    user = of_role(role, "ann")
    assert {action for action in Action if may(user, action)} == actions


def test_only_admins_manage_people():
    rights = {role: of_role(role, role).has_perm("auth.change_user") for role in ROLES}
    assert rights == {"Viewer": False, "Editor": False, "Operator": False, "Admin": True}


def test_each_role_has_what_the_one_before_has():
    found: list[set[Any]] = [
        set(Group.objects.get(name=role).permissions.values_list("pk", flat=True)) for role in ROLES
    ]
    assert all(before < after for before, after in pairwise(found))


def test_anybody_reads_where_the_installation_allows_it(settings, client):
    land("shop", {"1": sale(1)})
    settings.ANONYMOUS_READING = True
    for url in ("/", "/explore/", "/sources/shop/", "/explore/record/shop:1", "/stats"):
        assert client.get(url).status_code == 200, url
    assert client.get("/records").json()["records"][0]["id"] == "shop:1"
    # What belongs to a person, and what changes anything, needs an account.
    for url in ("/exports/", "/explore/export", "/upload/", "/sources/shop/settings/"):
        assert client.get(url)["Location"].startswith("/login/"), url
    assert client.post("/process/start/")["Location"].startswith("/login/")
    assert client.get("/api/export").status_code == 401
    assert client.post("/api/process").status_code == 401


def test_nobody_reads_without_an_account_by_default():
    assert settings.ANONYMOUS_READING is False


@pytest.fixture
def changer() -> User:
    user = viewer("changer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_user"))
    return user


def test_who_may_change_users_gives_nobody_rights(client, changer):
    client.force_login(changer)
    url = f"/admin/auth/user/{changer.pk}/change/"
    page = tree(client.get(url).content.decode())
    assert not page.select("[name=is_superuser], [name=groups], [name=user_permissions]")
    sent = {"username": "changer", "is_active": "on", "is_superuser": "on", "is_staff": "on",
            "date_joined_0": "2026-01-01", "date_joined_1": "12:00"}  # fmt: skip
    assert client.post(url, sent).status_code == 302
    assert not User.objects.get(pk=changer.pk).is_superuser


def test_who_may_change_users_changes_no_superuser(client, changer, admin_user):
    client.force_login(changer)
    url = f"/admin/auth/user/{admin_user.pk}"
    assert client.post(f"{url}/change/", {"username": "taken"}).status_code == 403
    new = {"password1": "x7Kq-92-lmn", "password2": "x7Kq-92-lmn"}
    assert client.post(f"{url}/password/", new).status_code == 403
    assert User.objects.get(pk=admin_user.pk).username == admin_user.username
