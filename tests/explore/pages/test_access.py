"""Who may see pages, and what is shown instead of a page."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from records.models import Source
from tests.landed import land, sale
from tests.markup import tree
from tests.people import viewer

pytestmark = pytest.mark.django_db

PAGES = ["/", "/explore/", "/explore/record/a", "/runs/", "/runs/ingestion/1/",
         "/runs/processing/1/", "/sources/", "/sources/a/", "/upload/"]  # fmt: skip


@pytest.mark.parametrize("url", PAGES)
def test_every_page_needs_a_login(client, url):
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


def test_logging_in_leads_on_to_the_page_that_was_asked_for(client):
    viewer("ada", password="a long password")
    assert "Log in" in client.get("/login/").content.decode()
    wrong = client.post("/login/", {"username": "ada", "password": "no"})
    assert 'role="alert"' in wrong.content.decode()
    given = {"username": "ada", "password": "a long password", "next": "/runs/"}
    assert client.post("/login/", given)["Location"] == "/runs/"
    assert client.get("/login/")["Location"] == "/"
    given["next"] = "https://elsewhere.example/"
    client.logout()
    assert client.post("/login/", given)["Location"] == "/"


def test_logging_out_needs_a_post(admin_client):
    assert admin_client.get("/logout/").status_code == 405
    assert admin_client.post("/logout/")["Location"] == "/login/"


@pytest.mark.parametrize("has_records", [False, True])
def test_nobody_is_led_to_what_they_may_not_do(client, has_records):
    pages = ["/", "/explore/", "/runs/", "/sources/"]
    if has_records:
        run = land("shop", {"1": sale(1)})
        pages += ["/sources/shop/", run.get_absolute_url()]
        Source.objects.create(name="empty")
        pages.append("/?source=empty")
    reader, uploader = viewer("reader"), viewer("uploader")
    uploader.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    for user, may in ((reader, False), (uploader, True)):
        client.force_login(user)
        led = {url: 'href="/upload/' in client.get(url).content.decode() for url in pages}
        assert led == dict.fromkeys(pages, may)


def test_an_unknown_address_has_a_page_of_ours(admin_client):
    response = admin_client.get("/no/such/page")
    assert response.status_code == 404
    assert "There is no page at this address" in response.content.decode()


def test_an_expired_form_is_explained():
    viewer("ada", password="a long password")
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "ada", "password": "a long password"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_a_fault_of_ours_has_a_page_of_ours(admin_client, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("explore.pages.sources.record_counts.by_source", fail)
    admin_client.raise_request_exception = False
    response = admin_client.get("/sources/")
    assert response.status_code == 500
    assert "The server ran into an unexpected error." in response.content.decode()
    assert "secret detail" not in response.content.decode()


@pytest.mark.parametrize("url", ["/", "/explore/", "/runs/", "/sources/", "/upload/", "/login/"])
def test_pages_hold_no_inline_code_or_style(admin_client, client, url):
    page = tree((client if url == "/login/" else admin_client).get(url).content.decode())
    assert not page.select("style, [style]")
    names = {name for element in page.find_all(True) for name in element.attrs}
    assert not [name for name in names if name.startswith("on")]
    assert not page.select('script:not([src]):not([type="application/json"])')


# Each word matters: what is not named here must not be loaded, run, framed or sent to.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.mark.parametrize("url", ["/", "/login/", "/admin/login/", "/api/", "/nowhere"])
def test_pages_carry_exactly_this_policy(client, admin_client, url):
    sent = (client if "login" in url else admin_client).get(url)["Content-Security-Policy"]
    assert dict(part.strip().split(" ", 1) for part in sent.split(";")) == POLICY


def test_the_cookies_of_a_session_are_secure_behind_https(client, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    viewer("ada", password="a long password")
    client.get("/login/")
    client.post("/login/", {"username": "ada", "password": "a long password"})
    for name in ("sessionid", "csrftoken"):
        assert client.cookies[name]["secure"] is True
    assert client.cookies["sessionid"]["httponly"] is True


def test_static_files_carry_the_policy_as_pages_do(client, settings, tmp_path):
    (tmp_path / "app.css").write_text("p {}")
    settings.STATIC_ROOT = tmp_path
    response = Client().get("/static/app.css")
    assert response.status_code == 200
    assert response["Content-Security-Policy"] == client.get("/login/")["Content-Security-Policy"]


def test_the_record_of_a_user_name_is_shown_as_text(client):
    client.force_login(User.objects.create(username="<script>alert(1)</script>"))
    assert "<script>alert" not in client.get("/").content.decode()


def test_the_page_for_a_fault_needs_no_list_of_static_files(admin_client, settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    admin_client.raise_request_exception = False
    response = admin_client.get("/sources/")
    assert response.status_code == 500
    assert "The server ran into an unexpected error." in response.content.decode()
