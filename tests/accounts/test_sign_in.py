"""Signing in by a password."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import identify_hasher
from django.contrib.auth.models import User

from dataflow_site import settings as of_site
from tests.accounts.people import PASSWORD, sign_in
from tests.markup import texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return User.objects.create_user("Ada", "Ada@Example.com", PASSWORD)


@pytest.mark.parametrize("name", ["Ada", "ada", " ADA ", "ada@example.com", "ADA@EXAMPLE.COM"])
def test_a_person_signs_in_by_name_or_address_in_any_case(ada, name):
    response = sign_in(name)
    assert response["Location"] == "/"
    assert get_user(response.wsgi_request) == ada


def test_names_that_differ_in_case_only_are_told_apart(ada):
    small = User.objects.create_user("ada", password="another password")
    assert get_user(sign_in("ada", "another password").wsgi_request) == small
    assert get_user(sign_in("Ada").wsgi_request) == ada
    assert sign_in("ADA").status_code == 200


def test_an_address_of_two_accounts_means_neither(ada):
    User.objects.create_user("other", "ada@example.com", PASSWORD)
    assert sign_in("ada@example.com").status_code == 200


def test_an_account_without_an_address_is_not_found_by_an_empty_one():
    User.objects.create_user("ada", password=PASSWORD)
    assert sign_in(" ").status_code == 200


def test_unknown_closed_and_wrong_are_answered_alike(ada):
    User.objects.create_user("gone", "gone@example.com", PASSWORD, is_active=False)
    pages = {
        tuple(texts(sign_in(name, password).content.decode(), "[role=alert]:not([hidden])"))
        for name, password in [
            ("Ada", "wrong"),
            ("nobody", "wrong"),
            ("nobody@example.com", "wrong"),
            ("ada@example.com", "wrong"),
            ("gone", "wrong"),
            ("gone", PASSWORD),
        ]
    }
    assert pages == {
        ("Username and password don't match. Check both; passwords are case-sensitive.",)
    }


@pytest.mark.parametrize("name", ["Ada", "ada@example.com", "nobody", "nobody@example.com"])
def test_every_attempt_hashes_one_password(ada, name, monkeypatch):
    hashed = []
    hasher = identify_hasher(ada.password)
    encode = type(hasher).encode

    def counted(self, password, *args, **kwargs):
        hashed.append(password)
        return encode(self, password, *args, **kwargs)

    monkeypatch.setattr(type(hasher), "encode", counted)
    sign_in(name, "wrong")
    assert hashed == ["wrong"]


def test_the_site_hashes_by_argon2_and_takes_over_older_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    User.objects.create_user("ada", password=PASSWORD)
    settings.PASSWORD_HASHERS = of_site.PASSWORD_HASHERS
    assert sign_in("ada").status_code == 302
    assert User.objects.get().password.startswith("argon2$argon2id$")


def test_the_session_changes_when_someone_signs_in(client, ada):
    client.get("/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    sign_in("ada", client=client)
    assert client.cookies["sessionid"].value != planted
    assert get_user(client.get("/login/").wsgi_request) == ada
    client.cookies["sessionid"] = planted
    assert client.get("/runs/").status_code == 302


def test_a_session_ends_when_its_account_is_closed(client, ada):
    sign_in("ada", client=client)
    assert client.get("/account/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/runs/")["Location"] == "/login/?next=/runs/"


def test_a_session_ends_when_the_password_is_changed_elsewhere(client, ada):
    sign_in("ada", client=client)
    ada.set_password("another long password")
    ada.save()
    assert client.get("/runs/")["Location"] == "/login/?next=/runs/"


def test_the_session_is_gone_after_signing_out(client, ada):
    sign_in("ada", client=client)
    key = client.cookies["sessionid"].value
    client.post("/logout/")
    client.cookies["sessionid"] = key
    assert client.get("/runs/").status_code == 302


def test_nobody_signs_up(client):
    for path in ("/signup/", "/account/signup/", "/accounts/signup/"):
        assert client.get(path).status_code in (302, 404)
        assert client.post(path, {"username": "eve", "password1": PASSWORD}).status_code in (
            302,
            404,
        )
    assert not User.objects.exists()


def test_the_login_page_answers_programs_as_it_answers_browsers(client, ada):
    response = client.get("/login/", headers={"Accept": "application/json"})
    assert response["Content-Type"].startswith("text/html")


def test_the_admin_asks_at_the_same_door(client, ada):
    data = {"username": "ada", "password": PASSWORD}
    for response in (client.get("/admin/login/"), client.post("/admin/login/", data)):
        assert response["Location"] == "/login/?next=/admin/"
    asked = client.get("/admin/login/?next=/admin/records/")
    assert asked["Location"] == "/login/?next=/admin/records/"
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"


def test_the_admin_refuses_who_is_no_staff(client, ada):
    client.force_login(ada)
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_request_for_another_host_is_refused(client):
    assert client.get("/login/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_a_null_character_in_a_name_is_refused_like_any_other_name(client):
    assert sign_in("a\0b").status_code == 200
