"""Who is limited to which sources, and for how long."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from accounts import rights
from accounts.models import SourceGrant
from records.models import Source
from records.visible_sources import visible_sources
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return viewer("ann")


@pytest.fixture(autouse=True)
def _nobody_is_served():
    yield
    rights.end()


def grant(source: str, *, user: User | None = None, group: Group | None = None) -> None:
    owner, _ = Source.objects.get_or_create(name=source)
    SourceGrant.objects.create(user=user, group=group, source=owner)


def test_whoever_has_no_grant_sees_all_sources(ann):
    rights.begin(ann)
    assert visible_sources() is None


def test_whoever_has_grants_sees_those_of_its_own_and_of_its_groups(ann):
    team = Group.objects.create(name="team")
    ann.groups.add(team)
    grant("shop", user=ann)
    grant("sensors", group=team)
    grant("tickets", group=Group.objects.create(name="others"))
    rights.begin(ann)
    assert visible_sources() == frozenset({"shop", "sensors"})


def test_a_superuser_sees_all_sources(ann):
    grant("shop", user=ann)
    ann.is_superuser = True
    rights.begin(ann)
    assert visible_sources() is None


def test_a_token_narrows_what_its_owner_sees_and_widens_nothing(ann):
    rights.begin(ann, sources=["shop", "tickets"])
    assert visible_sources() == frozenset({"shop", "tickets"})
    grant("shop", user=ann)
    grant("sensors", user=ann)
    rights.begin(ann, sources=["shop", "tickets"])
    assert visible_sources() == frozenset({"shop"})
    rights.begin(ann, sources=[])
    assert visible_sources() == frozenset()


def test_a_limit_outlives_the_source_that_it_names(ann):
    grant("shop", user=ann)
    Source.objects.get(name="shop").delete()
    rights.begin(ann)
    assert visible_sources() == frozenset()


def test_it_is_known_whose_limit_is_in_force(ann):
    assert rights.has_begun(AnonymousUser())
    assert not rights.has_begun(ann)
    rights.begin(ann)
    assert rights.has_begun(ann)


def test_the_limit_ends_with_the_response(client, ann):
    grant("shop", user=ann)
    client.force_login(ann)
    assert client.get("/sources/").status_code == 200
    assert visible_sources() is None
