"""The pages on which administrators limit groups to sources, and say who belongs to them."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from accounts.grants import limit_of
from accounts.models import AuditEntry, SourceGrant
from accounts.rights import granted_sources
from records.models import Source
from tests.markup import texts, tree
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client) -> User:
    user = of_role("Admin", "boss")
    client.force_login(user)
    return user


@pytest.fixture
def shop() -> Source:
    Source.objects.create(name="tickets")
    return Source.objects.create(name="shop")


def page_of(group: Group) -> str:
    return f"/settings/groups/{group.pk}/"


def test_only_admins_see_groups_and_the_way_there(client, admin):
    assert 'href="/settings/groups/"' in client.get("/settings/people/").content.decode()
    listed = texts(client.get("/settings/groups/").content.decode(), "tbody th a")
    assert listed == ["Viewer", "Editor", "Operator", "Admin"]
    client.force_login(of_role("Operator", "ann"))
    group = Group.objects.get(name="Viewer")
    for path in ("/settings/groups/", page_of(group)):
        assert client.get(path).status_code == 403
        assert client.post(path, {"name": "team", "all_sources": "on"}).status_code == 403
    assert not SourceGrant.objects.exists()


def test_a_group_limits_its_members_until_it_no_longer_does(client, admin, shop):
    ann = viewer("ann")
    made = client.post("/settings/groups/", {"name": "team", "sources": ["shop"]})
    team = Group.objects.get(name="team")
    assert made["Location"] == page_of(team)
    client.post(page_of(team), {"sources": ["shop"], "members": [ann.pk]})
    assert granted_sources(ann) == frozenset({"shop"})
    hers = Client()
    hers.force_login(ann)
    page = hers.get("/sources/").content.decode()
    assert "shop" in page
    assert "tickets" not in page
    client.post(page_of(team), {"all_sources": "on", "members": [ann.pk]})
    assert granted_sources(ann) is None
    client.post(page_of(team), {"members": [ann.pk]})
    assert granted_sources(ann) == frozenset()
    client.post(page_of(team), {})
    assert granted_sources(ann) is None


def test_pages_of_people_tell_what_their_groups_limit_them_to(client, admin, shop):
    ann, team = viewer("ann"), Group.objects.create(name="team")
    ann.groups.add(team)
    SourceGrant.objects.create(group=team, source=shop)
    rows = tree(client.get("/settings/people/").content.decode()).select("tbody tr")
    assert {row.select("a")[0].get_text(): row.select("td")[1].get_text() for row in rows} == {
        "ann": "shop",
        "boss": "All",
    }
    page = client.get(f"/settings/people/{ann.pk}/").content.decode()
    assert "Limited to shop as a member of team." in " ".join(tree(page).get_text().split())


def test_a_role_limits_everybody_who_has_it_and_gets_its_members_elsewhere(client, admin, shop):
    ann, role = viewer("ann"), Group.objects.get(name="Viewer")
    assert not tree(client.get(page_of(role)).content.decode()).select("[name=members]")
    client.post(page_of(role), {"sources": ["shop"], "members": []})
    assert granted_sources(ann) == frozenset({"shop"})
    assert list(role.user_set.all()) == [ann]


def test_each_change_is_in_the_audit_log(client, admin, shop):
    ann = viewer("ann")
    client.post("/settings/groups/", {"name": "team", "sources": ["shop"]})
    team = Group.objects.get(name="team")
    client.post(page_of(team), {"sources": ["tickets"], "members": [ann.pk]})
    client.post(page_of(team), {"all_sources": "on"})
    entries = AuditEntry.objects.filter(user_name="boss").order_by("number")
    assert [entry.action for entry in entries if not entry.action.startswith("sign")] == [
        "role.created", "grant.given",
        "grant.taken", "grant.given", "role.given",
        "grant.taken", "role.taken",
    ]  # fmt: skip
    given = entries.filter(action="grant.given").first()
    assert given is not None
    assert given.object_label == "team: shop"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"name": "viewer"}, "There is already a group with this name."),
        ({"name": ""}, "This field is required."),
        ({"name": "a\nb"}, "The name must be one line of text."),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"name": "x" * 151}, "at most 150 characters"),
        ({"sources": ["nothing"], "all_sources": ""}, "Select a valid choice."),
        ({"sources": ["shop"]}, "Choose all sources, or only some, not both."),
    ],
)
def test_a_wrong_form_is_told_and_adds_no_group(client, admin, shop, sent, sentence):
    answer = client.post("/settings/groups/", {"name": "team", "all_sources": "on"} | sent)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert Group.objects.count() == 4


@pytest.mark.parametrize("members", [["x"], ["999999"], ["1\0"]])
def test_members_who_are_not_there_are_told(client, admin, members):
    team = Group.objects.create(name="team")
    answer = client.post(page_of(team), {"all_sources": "on", "members": members})
    assert answer.status_code == 400
    assert not team.user_set.exists()


def test_nobody_changes_a_group_of_the_own(client, admin, admin_client, shop):
    group = Group.objects.get(name="Admin")
    assert not tree(client.get(page_of(group)).content.decode()).select("main form")
    assert client.post(page_of(group), {"sources": ["shop"]}).status_code == 403
    assert limit_of(group.source_grants.all()) is None
    assert admin_client.post(page_of(group), {"sources": ["shop"]}).status_code == 302


def test_nobody_gives_more_than_they_have_or_touches_superusers(client, admin, admin_user):
    team = Group.objects.create(name="team")
    team.permissions.add(Permission.objects.get(codename="delete_group"))
    ann = viewer("ann")
    for members in ([ann.pk], [admin.pk], [admin_user.pk]):
        sent = {"all_sources": "on", "members": members}
        assert client.post(page_of(team), sent).status_code == 403
    assert not team.user_set.exists()


def test_an_admin_who_is_limited_to_sources_limits_nobody(client, admin, shop):
    SourceGrant.objects.create(user=admin, source=shop)
    assert client.get("/settings/groups/").status_code == 403


def test_there_is_no_page_of_no_group(client, admin):
    assert client.get("/settings/groups/999/").status_code == 404
