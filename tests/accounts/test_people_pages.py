"""The pages on which administrators see to people."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.grants import limit_of
from accounts.models import AuditEntry, SourceGrant
from accounts.people import role_of
from accounts.rights import granted_sources
from records.models import Source
from tests.markup import tree
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db

PASSWORD = "a word that is long enough"


@pytest.fixture
def admin(client) -> User:
    user = of_role("Admin", "boss")
    client.force_login(user)
    return user


def test_only_admins_see_people_and_the_way_there(client, admin_client):
    ann = of_role("Operator", "ann")
    client.force_login(ann)
    assert client.get("/settings/people/").status_code == 403
    assert client.post(f"/settings/people/{ann.pk}/", {"role": "Admin"}).status_code == 403
    assert 'href="/settings/people/"' not in client.get("/").content.decode()
    assert 'href="/settings/people/"' in admin_client.get("/").content.decode()
    assert admin_client.get("/settings/people/").status_code == 200


def test_an_admin_adds_a_person_who_can_then_log_in_and_read(client, admin):
    Source.objects.create(name="shop")
    Source.objects.create(name="tickets")
    given = {"username": "ann", "email": "ann@example.org", "password": PASSWORD,
             "role": "Viewer", "sources": ["shop"]}  # fmt: skip
    assert client.post("/settings/people/", given).status_code == 302
    ann = User.objects.get(username="ann")
    assert (role_of(ann), limit_of(ann.source_grants.all())) == ("Viewer", ["shop"])
    other = Client()
    assert other.login(username="ann", password=PASSWORD)
    page = other.get("/sources/").content.decode()
    assert "shop" in page
    assert "tickets" not in page


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"username": "BOSS"}, "There is already an account with this username."),
        ({"username": "a\0b"}, "Null characters are not allowed."),
        ({"password": "short"}, "This password is too short."),
        ({"role": "Emperor"}, "Select a valid choice."),
        ({"sources": ["nothing"], "all_sources": ""}, "Select a valid choice."),
    ],
)
def test_a_wrong_form_is_told_and_adds_nobody(client, admin, changed, sentence):
    given = {
        "username": "ann",
        "password": PASSWORD,
        "role": "Viewer",
        "all_sources": "on",
    } | changed
    answer = client.post("/settings/people/", given)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert User.objects.count() == 1


def test_an_admin_changes_role_and_sources(client, admin):
    Source.objects.create(name="shop")
    ann = viewer("ann")
    page = f"/settings/people/{ann.pk}/"
    assert client.post(page, {"role": "Editor", "sources": ["shop"]}).status_code == 302
    ann = User.objects.get(pk=ann.pk)
    assert (role_of(ann), granted_sources(ann)) == ("Editor", frozenset({"shop"}))
    client.post(page, {"role": "", "all_sources": "on"})
    ann = User.objects.get(pk=ann.pk)
    assert (role_of(ann), granted_sources(ann)) == ("", None)


def test_the_audit_log_tells_of_each_source_that_is_given_or_taken_and_of_no_other(client, admin):
    for name in ("shop", "tickets", "sensors"):
        Source.objects.create(name=name)
    ann = viewer("ann")
    page = f"/settings/people/{ann.pk}/"
    client.post(page, {"role": "Viewer", "sources": ["shop", "tickets"]})
    assert AuditEntry.objects.filter(action="grant.given").count() == 2
    client.post(page, {"role": "Viewer", "sources": ["shop", "sensors"]})
    assert AuditEntry.objects.filter(action="grant.given").count() == 3
    taken = AuditEntry.objects.get(action="grant.taken")
    assert (taken.object_label, taken.user_name) == ("ann: tickets", "boss")
    assert not AuditEntry.objects.filter(action="role.taken").exists()


def test_a_person_can_be_limited_to_no_source(client, admin):
    ann = viewer("ann")
    page = f"/settings/people/{ann.pk}/"
    client.post(page, {"role": "Viewer"})
    assert granted_sources(User.objects.get(pk=ann.pk)) == frozenset()
    form = tree(client.get(page).content.decode())
    assert not form.select("[name=all_sources][checked]")


def test_a_closed_account_is_out_at_once(client, admin):
    ann = viewer("ann")
    hers = Client()
    hers.force_login(ann)
    assert hers.get("/").status_code == 200
    client.post(f"/settings/people/{ann.pk}/", {"do": "close"})
    assert hers.get("/").status_code == 302
    client.post(f"/settings/people/{ann.pk}/", {"do": "open"})
    assert User.objects.get(pk=ann.pk).is_active


def test_nobody_manages_a_superuser_or_the_own_account(client, admin, admin_user):
    for person in (admin, admin_user):
        page = f"/settings/people/{person.pk}/"
        assert not tree(client.get(page).content.decode()).select("select")
        for sent in ({"role": "Viewer"}, {"do": "close"}):
            assert client.post(page, sent).status_code == 403
        assert User.objects.get(pk=person.pk).is_active


def test_an_admin_who_is_limited_to_sources_gives_nobody_more(client, admin):
    shop = Source.objects.create(name="shop")
    SourceGrant.objects.create(user=admin, source=shop)
    assert client.get("/settings/people/").status_code == 403


def test_there_is_no_page_of_nobody(client, admin):
    assert client.get("/settings/people/999/").status_code == 404
