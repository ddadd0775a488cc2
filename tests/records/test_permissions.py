"""Each action needs one permission, and its refusal names it as the admin does."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from records.models import Source
from records.permissions import Action, check, may
from tests.people import viewer

pytestmark = pytest.mark.django_db

# The pages of each action, for a source "shop" and a run 1; which is asked for does not matter, as
# permission is asked first.
PAGES: dict[Action, list[tuple[str, list[Any]]]] = {
    Action.IMPORT: [("upload", []), ("preview", [1])],
    Action.UNDO_IMPORT: [("undo-run", [1])],
    Action.REPLAY: [("replay-run", [1])],
    Action.PROCESS: [("process", [])],
    Action.CHANGE_RULES: [("rules", ["shop"]), ("cancel-rule-dry-run", [1])],
    Action.CHANGE_FEED: [("new-feed", []), ("feed", ["shop"]), ("feed-load", ["shop"])],
    Action.DELETE_FEED: [("feed-remove", ["shop"])],
    Action.CHANGE_SOURCE: [("source-settings", ["shop"])],
    Action.REPROCESS_RECORDS: [("act", ["reprocess"])],
    Action.DELETE_RECORDS: [("act", ["delete"])],
}
ENDPOINTS: dict[Action, tuple[str, list[Any]]] = {
    Action.IMPORT: ("api-ingest", []),
    Action.PROCESS: ("api-process", []),
    Action.CHANGE_RULES: ("api-rules", ["shop"]),
}


def grant(user: User, action: Action) -> User:
    app, codename = action.permission.split(".")
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label=app, codename=codename)
    )
    return User.objects.get(pk=user.pk)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("somebody")


@pytest.mark.parametrize("action", Action)
def test_who_has_the_permission_may_and_nobody_else(user, action):
    assert not may(user, action)
    assert not may(AnonymousUser(), action)
    with pytest.raises(PermissionDenied, match="You need the permission"):
        check(user, action)
    granted = grant(user, action)
    assert may(granted, action)
    check(granted, action)
    others = [other for other in Action if other.permission != action.permission]
    assert not any(may(granted, other) for other in others)


@pytest.mark.parametrize("action", Action)
def test_a_refusal_names_the_permission_as_the_admin_does(action):
    app, codename = action.permission.split(".")
    named = Permission.objects.get(content_type__app_label=app, codename=codename).name
    assert action.refusal == (
        f"You need the permission “{named}” to {action.purpose}. Ask an administrator."
    )


@pytest.mark.parametrize(("action", "page"), [(a, p) for a, pages in PAGES.items() for p in pages])
def test_a_page_says_which_permission_it_needs(client, action, page):
    Source.objects.create(name="shop")
    client.force_login(viewer())
    name, args = page
    answer = client.post(reverse(name, args=args))
    assert answer.status_code == 403
    assert action.refusal in answer.content.decode()


@pytest.mark.parametrize("action", ENDPOINTS)
def test_the_api_says_which_permission_it_needs(client, action):
    Source.objects.create(name="shop")
    client.force_login(viewer())
    name, args = ENDPOINTS[action]
    answer = client.post(reverse(name, args=args), {})
    assert answer.status_code == 403
    assert answer.json() == {"detail": action.refusal}
