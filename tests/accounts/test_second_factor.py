"""Codes of apps, recovery codes and passkeys, as a browser without JavaScript meets them."""

import json
import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from tests.accounts.people import PASSWORD, code_of, is_in, person, sign_in
from tests.markup import texts, tree

pytestmark = pytest.mark.django_db

HOME = "/account/second-factor/"


@pytest.fixture
def ada():
    return person("ada")


def signed_in(name="ada"):
    """A browser of someone who has just given the password again."""
    client = Client()
    sign_in(name, client=client)
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def set_up(client):
    """Set up an app; what it makes its codes of."""
    page = client.get(f"{HOME}app/").content.decode()
    (secret,) = texts(page, "main code")
    answer = client.post(f"{HOME}app/", {"code": code_of(secret)})
    assert answer["Location"] == f"{HOME}codes/"
    return secret


def half_way(name="ada"):
    """A browser that has been given the right password only."""
    client = Client()
    assert sign_in(name, client=client)["Location"] == "/login/second-factor/"
    return client


def test_the_code_of_an_app_is_asked_for_after_the_password(ada):
    secret = set_up(signed_in())
    client = half_way()
    assert not is_in(client)
    wrong = client.post("/login/second-factor/", {"code": "000000"})
    assert texts(wrong.content.decode(), "[role=alert]:not([hidden])")
    assert not is_in(client)
    assert client.post("/login/second-factor/", {"code": code_of(secret, 1)})["Location"] == "/"
    assert is_in(client)


def test_a_code_works_once(ada):
    secret = set_up(signed_in())
    code = code_of(secret, 1)
    assert half_way().post("/login/second-factor/", {"code": code}).status_code == 302
    assert half_way().post("/login/second-factor/", {"code": code}).status_code == 200


def test_a_recovery_code_works_once(ada):
    client = signed_in()
    set_up(client)
    codes = re.findall(r"\d{8}", client.get(f"{HOME}codes/").content.decode())
    assert len(codes) == 10
    assert half_way().post("/login/second-factor/", {"code": codes[0]}).status_code == 302
    assert half_way().post("/login/second-factor/", {"code": codes[0]}).status_code == 200
    left = client.get(f"{HOME}codes/file/")
    assert left["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert re.findall(r"\d{8}", left.content.decode()) == codes[1:]


def test_codes_are_not_tried_without_end(ada):
    set_up(signed_in())
    client = half_way()
    statuses = [
        client.post("/login/second-factor/", {"code": f"{number:06}"}).status_code
        for number in range(8)
    ]
    assert statuses == [200] * 5 + [429] * 3


def test_the_page_asked_for_first_is_shown_after_the_code(ada):
    secret = set_up(signed_in())
    client = Client()
    given = {"username": "ada", "password": PASSWORD, "next": "/runs/"}
    client.post("/login/", given)
    answer = client.post("/login/second-factor/", {"code": code_of(secret, 1)})
    assert answer["Location"] == "/runs/"


def test_nobody_gets_round_the_second_factor(ada):
    set_up(signed_in())
    client = half_way()
    for path in ("/", "/runs/", "/account/", HOME, "/admin/", f"{HOME}app/remove/"):
        assert client.get(path).status_code == 302
    assert client.post(f"{HOME}app/remove/").status_code == 302
    assert Authenticator.objects.filter(user=ada, type="totp").exists()
    assert client.get("/stats").status_code == 401


def test_a_changed_second_factor_needs_the_password_again_after_a_while(ada, settings):
    client = signed_in()
    set_up(client)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    asked = client.get(f"{HOME}app/remove/")["Location"]
    assert asked.startswith("/account/confirm/?next=")
    assert texts(client.get(asked).content.decode(), "h1") == ["Confirm that it is you"]
    assert client.post(asked, {"password": "wrong"}).status_code == 200
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
    answer = client.post(asked, {"password": PASSWORD})
    assert answer["Location"] == f"{HOME}app/remove/"
    assert client.post(answer["Location"])["Location"] == HOME
    assert is_in(signed_in())


def test_secrets_are_not_readable_in_the_database(ada):
    secret = set_up(signed_in())
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert "seed" in stored


def test_another_secret_key_opens_nothing(ada, settings):
    secret = set_up(signed_in())
    settings.SECRET_KEY = "x" * 50
    for code in (code_of(secret, 1), code_of("", 1)):
        client = Client()
        sign_in(client=client)
        assert client.post("/login/second-factor/", {"code": code}).status_code == 200


def test_pages_of_the_second_factor_hold_no_inline_code(ada):
    client = signed_in()
    for path in (HOME, f"{HOME}app/", f"{HOME}passkeys/add/", f"{HOME}codes/new/"):
        _holds_none(client.get(path).content.decode())
    set_up(client)
    for path in (HOME, f"{HOME}codes/", f"{HOME}codes/new/", f"{HOME}app/remove/"):
        _holds_none(client.get(path).content.decode())
    _holds_none(half_way().get("/login/second-factor/").content.decode())
    for path in ("", "second-factor/", "passkey/"):
        _holds_none(client.get(f"/account/confirm/{path}", follow=True).content.decode())


def _holds_none(page):
    found = tree(page)
    assert not found.select("style, [style]")
    assert not found.select('script:not([src]):not([type="application/json"])')


HANDLE = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"userHandle": "MQ"}}'


@pytest.mark.parametrize(
    "credential", ["", "x", "[]", "1", '"x"', "{}", '{"response": []}', HANDLE]
)
def test_what_is_no_passkey_is_refused(ada, credential):
    browser = Client()
    browser.get("/login/passkey/")
    assert browser.post("/login/passkey/", {"credential": credential})["Location"] == "/login/"
    assert not is_in(browser)
    client = signed_in()
    client.get(f"{HOME}passkeys/add/")
    assert client.post(f"{HOME}passkeys/add/", {"credential": credential}).status_code == 200
    set_up(client)
    half = half_way()
    half.get("/login/second-factor/")
    assert half.post("/login/second-factor/", {"credential": credential}).status_code == 200
    assert not is_in(half)


@pytest.mark.parametrize("pk", [1, 10**30])
def test_the_passkeys_of_others_are_not_there(ada, pk):
    eve = person("eve")
    Authenticator.objects.create(pk=1, user=eve, type="webauthn", data={"name": "x"})
    path = f"{HOME}passkeys/{pk}/remove/"
    assert signed_in().get(path).status_code == 404
    assert signed_in().post(path).status_code == 404
    assert Authenticator.objects.filter(user=eve).exists()


def test_a_lost_second_factor_is_removed_by_a_command(ada, capsys):
    set_up(signed_in())
    call_command("remove_second_factor", "ADA")
    assert capsys.readouterr().out == "ada now logs in without a second factor.\n"
    assert is_in(signed_in())
    call_command("remove_second_factor", "ada")
    assert capsys.readouterr().out == "ada has no second factor.\n"
    with pytest.raises(CommandError, match="No account is named bob"):
        call_command("remove_second_factor", "bob")


def test_administrators_can_be_made_to_have_a_second_factor(ada, settings):
    settings.ADMINS_NEED_SECOND_FACTOR = True
    person("root", is_staff=True, is_superuser=True)
    client = signed_in("root")
    # With a token that is made before, the second factor would not matter.
    for path in ("/", "/admin/", "/runs/", "/account/tokens/", "/account/sessions/", "/stats"):
        assert client.get(path)["Location"] == HOME
    assert client.post("/process/start/").status_code == 302
    assert "Administrators need a second factor" in client.get(HOME).content.decode()
    set_up(client)
    assert client.get("/runs/").status_code == 200
    assert signed_in("ada").get("/runs/").status_code == 200


def test_the_admin_does_not_show_what_second_factors_are_made_of(admin_client):
    page = admin_client.get("/admin/").content.decode()
    assert not re.search("authenticator|socialaccount|usersession|email address", page, re.I)
    assert admin_client.get("/admin/mfa/authenticator/").status_code == 404
