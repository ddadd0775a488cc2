"""Views of the explorer that people save."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import SourceGrant
from explore import saved_views
from records.models import SavedView, Source
from tests.landed import land, sale
from tests.markup import href
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    land("shop", {"1": sale(1), "2": sale(2)})
    client = Client()
    client.force_login(viewer("ada"))
    return client


def test_what_is_shown_is_saved_and_found_again(ada):
    query = "source=shop&where=id%3Aeq%3A1&sort=-id&column=value"
    answer = ada.post(f"/explore/views/save?{query}&cursor=x&q=", {"name": " Mine "})
    assert answer["Location"] == f"/explore/?{query}"
    html = ada.get("/explore/").content.decode()
    assert "View “Mine” saved." in html
    link = href(html, 'li > a:-soup-contains("Mine")')
    assert link is not None
    assert "shop:1" in ada.get(link).content.decode()


def test_a_name_that_is_known_is_taken_over(ada):
    ada.post("/explore/views/save?q=a", {"name": "Mine"})
    ada.post("/explore/views/save?q=b", {"name": "Mine"})
    assert SavedView.objects.get().query == "q=b"


def test_everybody_has_views_of_their_own(ada):
    ada.post("/explore/views/save?q=a", {"name": "Mine"})
    other = Client()
    other.force_login(viewer("bob"))
    assert "Mine" not in other.get("/explore/").content.decode()
    pk = SavedView.objects.get().pk
    assert other.post(f"/explore/views/{pk}/remove").status_code == 404
    other.post("/explore/views/save?q=b", {"name": "Mine"})
    assert SavedView.objects.count() == 2
    assert ada.post(f"/explore/views/{pk}/remove")["Location"] == "/explore/"
    assert [view.user.username for view in SavedView.objects.all()] == ["bob"]


def test_views_that_name_sources_which_may_not_be_seen_are_not_there(ada):
    land("depot", {"1": sale(1)})
    for name, query in {
        "Both": "source=shop&source=depot",
        "Shop": "source=shop",
        "All": "",
    }.items():
        ada.post(f"/explore/views/save?{query}", {"name": name})
    assert "Both" in ada.get("/explore/").content.decode()
    owner = User.objects.get(username="ada")
    SourceGrant.objects.create(user=owner, source=Source.objects.get(name="shop"))
    page = ada.get("/explore/").content.decode()
    found = [view.name for view in SavedView.objects.all() if f">{view.name}</a>" in page]
    assert found == ["All", "Shop"]
    assert "depot" not in page
    hidden = SavedView.objects.get(name="Both")
    assert ada.post(f"/explore/views/{hidden.pk}/remove").status_code == 404
    listed = ada.get("/api/v1/views").json()["views"]
    assert {view["name"] for view in listed} == {"All", "Shop"}
    assert ada.get(f"/api/v1/views/{hidden.pk}").status_code == 404


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "Give the view a name."), ("x" * 101, "at most 100 characters"), ("a\0", "Null char")],
)
def test_a_name_that_is_none_is_refused(ada, name, sentence):
    answer = ada.post("/explore/views/save", {"name": name}, follow=True)
    assert sentence in answer.content.decode()
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("query", ["status=x", "statuss=raw", "facet=%00"])
def test_what_means_nothing_is_refused(ada, query):
    assert ada.post(f"/explore/views/save?{query}", {"name": "a"}).status_code == 400
    assert ada.post(f"/explore/views/{9**40}/remove").status_code == 404
    assert ada.get("/explore/views/save").status_code == 405


def test_there_is_an_end_to_it(ada, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    ada.post("/explore/views/save", {"name": "a"})
    answer = ada.post("/explore/views/save", {"name": "b"}, follow=True)
    assert "Remove one first." in answer.content.decode()
