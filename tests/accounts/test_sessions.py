"""Where a person is signed in."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.sign_in import sessions
from tests.accounts.people import is_in, person, sign_in
from tests.markup import texts, tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("ada")


def signed_in(name="ada", browser="Firefox"):
    client = Client(headers={"User-Agent": browser})
    sign_in(name, client=client)
    return client


def listed(client):
    return texts(client.get("/account/sessions/").content.decode(), "tbody th")


def end(client, browser):
    """Press the button beside that browser."""
    page = tree(client.get("/account/sessions/").content.decode())
    (form,) = page.select(f"form:has([aria-label='Log out of {browser}'])")
    return client.post(form["action"])


def test_a_person_sees_their_own_sessions(ada):
    person("eve")
    signed_in("eve", "Opera")
    here, elsewhere = signed_in(browser="Firefox"), signed_in(browser="Chrome")
    assert listed(here) == ["Chrome", "Firefox"]
    elsewhere.post("/logout/")
    assert listed(here) == ["Firefox"]


def test_a_session_is_ended_from_elsewhere(ada):
    here, elsewhere = signed_in(), signed_in(browser="Chrome")
    assert end(here, "Chrome")["Location"] == "/account/sessions/"
    assert is_in(here)
    assert not is_in(elsewhere)


def test_all_others_are_ended_at_once(ada):
    here, *others = (signed_in() for _ in range(3))
    assert here.post("/account/sessions/end/").status_code == 302
    assert [is_in(each) for each in (here, *others)] == [True, False, False]


def test_nobody_ends_the_sessions_of_others(ada):
    person("eve")
    mine, other = signed_in(), signed_in("eve")
    session = UserSession.objects.get(user__username="eve")
    assert mine.post(f"/account/sessions/{session.pk}/end/").status_code == 404
    assert is_in(other)


@pytest.mark.parametrize("path", ["/account/sessions/end/", "/account/sessions/1/end/"])
def test_nothing_is_ended_by_a_link(ada, path):
    assert signed_in().get(path).status_code == 405


def test_markup_in_the_name_of_a_browser_is_shown_as_text(ada):
    here = signed_in(browser="<script>alert(1)</script>")
    assert listed(here) == ["<script>alert(1)</script>"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
         "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.1 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "
         "SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36", "Samsung Internet on Android"),
        ("curl/8.10.1", "curl"),
        ("Mozilla/5.0 (X11; CrOS x86_64)", "Unknown browser on ChromeOS"),
        ("nightly report", "nightly report"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_browsers_and_systems_are_told_in_words(ada, header, words):
    client = signed_in(browser=header)
    assert listed(client) == [words]
    (cell,) = tree(client.get("/account/sessions/").content.decode()).select("tbody th")
    assert cell["title"] == header


def test_the_oldest_sessions_of_a_program_that_signs_in_again_and_again_end(ada, monkeypatch):
    monkeypatch.setattr(sessions, "MOST", 3)
    clients = [signed_in(browser=f"program {number}") for number in range(5)]
    assert [is_in(each) for each in clients] == [False, False, True, True, True]


def test_the_account_leads_to_password_and_sessions(ada):
    client = signed_in()
    page = tree(client.get("/account/").content.decode())
    for link in page.select("main dt a"):
        assert client.get(link["href"]).status_code == 200
    assert page.select(".menu a[href='/account/']")
