"""Share links show one thing to people without an account, with the rights of who made them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.grants import set_limit
from explore.saved import share_links
from explore.saved.dashboards import add_tile, change_dashboard, create_dashboard
from explore.saved.share_links import create_link, opened, revoke
from explore.saved.sharing import CannotSave
from explore.saved.tiles import HIDDEN
from records.models import Dashboard, SavedQuestion, ShareLink
from tests.explore.saved.conftest import page_of
from tests.explore.saved.test_saved_questions import saved
from tests.landed import land
from tests.markup import sent_by, texts, tree
from tests.people import of_role

pytestmark = pytest.mark.django_db

GONE = "This link does not exist, has expired or was revoked. Ask whoever sent it for a new one."


@pytest.fixture
def question(ada) -> SavedQuestion:
    return saved(ada)


@pytest.fixture
def board(ada, question) -> Dashboard:
    made = create_dashboard(user=ada, name="Sales", query="where=Region%3Aeq%3ANorth")
    add_tile(made, {"question": question.pk})
    add_tile(made, {"text": "For you"})
    made.refresh_from_db()
    return made


def url_of(target, user=None) -> str:
    return f"/shared/{create_link(user=user or target.owner, target=target)[1]}/"


def test_who_has_a_link_sees_the_question_without_an_account(question):
    answer = Client().get(url_of(question))
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert texts(shown, "h1") == ["Regions"]
    assert texts(shown, "tbody td:nth-of-type(1)") == ["66.3", "63.3", "60.3", "189.9"]
    assert tree(shown).select("figure[data-chart]")


def test_nothing_leads_on_without_an_account(board, question):
    for target in (board, question):
        shown = Client().get(url_of(target)).content.decode()
        assert tree(shown).select("a, form") == []
        assert "/explore/" not in shown
        assert "/questions/" not in shown


def test_who_is_signed_in_gets_links_to_the_records(board, bob):
    shown = page_of(bob).get(url_of(board)).content.decode()
    links = [str(link["href"]) for link in tree(shown).select("td a")]
    assert links
    assert all(link.startswith("/explore/?") for link in links)


def test_a_dashboard_is_shown_with_its_filter_and_no_other(board):
    shown = Client().get(f"{url_of(board)}?where=Region:eq:South&source=depot").content.decode()
    assert "60.3" in shown
    assert texts(shown, ".board p")[-1] == "For you"


def test_a_link_shows_what_there_is_now(question):
    url = url_of(question)
    assert "1,000" not in Client().get(url).content.decode()
    land("shop", {"n": {"id": "n", "Region": "West", "Total": "1000"}})
    assert "1,000" in Client().get(url).content.decode()


@pytest.mark.parametrize("target", ["question", "board"])
def test_a_link_has_the_rights_of_who_made_it(request, target, ada):
    url = url_of(request.getfixturevalue(target))
    set_limit(sources=["depot"], user=ada)
    shown = Client().get(url).content.decode()
    assert texts(shown, ".board .nothing") == [HIDDEN]
    assert "North" not in shown
    set_limit(sources=["shop"], user=ada)
    assert "North" in Client().get(url).content.decode()


def test_the_rights_of_a_link_end_with_its_page(question, ada, bob):
    set_limit(sources=["depot"], user=bob)
    page = page_of(bob)
    assert "North" in page.get(url_of(question)).content.decode()
    assert "North" not in page.get("/questions/?by=Region").content.decode()


def refused(url: str) -> bool:
    answer = Client().get(url)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code == 404 and GONE in answer.content.decode()


def test_no_link_is_left_of_who_is_deactivated_or_has_no_role(question, ada):
    url = url_of(question)
    ada.is_active = False
    ada.save()
    assert refused(url)
    ada.is_active = True
    ada.save()
    assert not refused(url)
    ada.groups.clear()
    assert refused(url)


def test_a_link_ends_when_it_expires_or_is_revoked_or_what_it_shows_is_gone(question):
    expired, revoked = url_of(question), create_link(user=question.owner, target=question)
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(expired)
    revoke(revoked[0])
    assert refused(f"/shared/{revoked[1]}/")
    gone = url_of(question)
    assert not refused(gone)
    question.delete()
    assert refused(gone)
    assert refused("/shared/wrong/")
    assert refused(f"/shared/{'x' * 3_000}/")


def test_a_link_to_what_is_no_longer_shared_ends(board, bob):
    change_dashboard(board, audience="everybody")
    url = url_of(board, user=bob)
    assert not refused(url)
    change_dashboard(board, audience="private")
    assert refused(url)


# --- making and ending ---------------------------------------------------------------------------


def test_a_link_is_created_and_shown_once(board, ada):
    page = page_of(ada)
    form = page.get(f"/links/new?dashboard={board.pk}").content.decode()
    (sent,) = [sent_by(each) for each in tree(form).select("main form")]
    assert sent["days"] == ["30"]
    answer = page.post(f"/links/new?dashboard={board.pk}", {"days": "7"})
    assert answer.status_code == 201
    url = str(tree(answer.content.decode()).select("#link")[0]["value"])
    assert url.startswith("http://testserver/shared/")
    assert Client().get(url).status_code == 200
    link = ShareLink.objects.get()
    assert link.digest not in url
    assert timedelta(days=6.9) < link.expires_at - timezone.now() < timedelta(days=7)
    listed = page.get("/links/").content.decode()
    assert url not in listed
    assert "just now" in texts(listed, "tbody td")[3]


def test_who_sees_something_may_share_it_and_revoke_the_link(board, ada, bob):
    change_dashboard(board, audience="everybody")
    page = page_of(bob)
    page.post(f"/links/new?dashboard={board.pk}", {"days": "30"})
    link = ShareLink.objects.get()
    assert link.maker == bob
    assert "Sales" not in page_of(ada).get("/links/").content.decode()
    assert page_of(ada).post(f"/links/{link.pk}/revoke").status_code == 404
    page.post(f"/links/{link.pk}/revoke")
    link.refresh_from_db()
    assert link.revoked_at is not None


def test_who_manages_tokens_sees_and_revokes_all(board):
    create_link(user=board.owner, target=board)
    page, link = page_of(of_role("Admin", "root")), ShareLink.objects.get()
    assert "Sales" in page.get("/links/").content.decode()
    page.post(f"/links/{link.pk}/revoke")
    link.refresh_from_db()
    assert link.revoked_at is not None


@pytest.mark.parametrize("query", ["", "dashboard=x", "dashboard=99", "question=99999999999999999"])
def test_there_is_no_link_to_what_is_not_there(ada, query):
    assert page_of(ada).get(f"/links/new?{query}").status_code == 404


def test_nobody_shares_what_others_keep_private(board, question, bob):
    for query in (f"dashboard={board.pk}", f"question={question.pk}"):
        assert page_of(bob).post(f"/links/new?{query}", {"days": "30"}).status_code == 404


@pytest.mark.parametrize("days", ["", "31", "x", "-7"])
def test_links_are_valid_for_some_times_only(board, ada, days):
    answer = page_of(ada).post(f"/links/new?dashboard={board.pk}", {"days": days})
    assert answer.status_code == 400
    assert "Choose one of 7, 30, 90, 365 days." in answer.content.decode()


def test_there_is_a_limit(board, monkeypatch):
    monkeypatch.setattr(share_links, "MOST", 1)
    create_link(user=board.owner, target=board)
    with pytest.raises(CannotSave, match="Revoke one first"):
        create_link(user=board.owner, target=board)


def test_the_use_is_noted_once_a_minute(board):
    _, token = create_link(user=board.owner, target=board)
    opened(token)
    first = ShareLink.objects.get().last_used_at
    opened(token)
    assert first is not None
    assert ShareLink.objects.get().last_used_at == first


# --- what browsers and other sites may do with it ------------------------------------------------


def test_links_are_neither_kept_nor_found_nor_told_on(question):
    answer = Client().get(url_of(question))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_sites_that_are_listed_may_embed_it_and_nothing_else(question, ada, settings):
    settings.EMBED_ORIGINS = ["https://intranet.example.org"]
    answer = Client().get(url_of(question))
    assert "X-Frame-Options" not in answer.headers
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors https://intranet.example.org" in policy
    assert "default-src 'none'" in policy
    other = page_of(ada).get("/questions/")
    assert other.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
