"""OAuth 2: access by consent and by a client's own credentials, against a running server."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, SourceGrant, TokenScope
from accounts.oauth.clients import ClientKind, create_client
from records.models import Source
from tests.accounts.people import PASSWORD, person
from tests.landed import land, sale
from tests.markup import sent_by, tree
from tests.people import of_role

pytestmark = pytest.mark.django_db(transaction=True)

BACK = "https://app.example.org/callback"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@pytest.fixture
def ada() -> User:
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1)})
    return person("ada")


def client_of(kind: ClientKind = ClientKind.PUBLIC, **given: Any) -> tuple[OAuthClient, str]:
    owner = given.pop("owner", None) or of_role("Admin", "owner")
    uris = () if kind == ClientKind.SERVICE else (BACK,)
    options = {"scope": TokenScope.READ, "sources": None, "redirect_uris": uris} | given
    return create_client(owner=owner, name="Report", kind=kind, **options)


def asked(client: OAuthClient, **other: str) -> dict[str, str]:
    return {
        "client_id": client.pk, "response_type": "code", "redirect_uri": BACK, "scope": "read",
        "state": "xyz", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    } | other  # fmt: skip


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def consent(browser: Client, client: OAuthClient, action: str = "grant", **other: str) -> Any:
    """Where the person is sent after the answer to the question."""
    return consent_at(browser, f"/oauth/authorize?{urlencode(asked(client, **other))}", action)


def consent_at(browser: Client, url: str, action: str = "grant") -> dict[str, str]:
    """What the person takes back to the application, which has sent them to this URL."""
    page = browser.get(url)
    assert page.status_code == 200, page.content
    (form,) = tree(page.content.decode()).select('form[action="/oauth/authorize"]')
    answer = browser.post("/oauth/authorize", sent_by(form) | {"action": action})
    assert answer.status_code == 302, answer.content
    there = urlsplit(answer["Location"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == BACK
    return {name: values[0] for name, values in parse_qs(there.query).items()}


def exchange(site: str, client: OAuthClient, code: str, **other: str) -> requests.Response:
    given = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
        "client_id": client.pk, "code_verifier": VERIFIER,
    } | other  # fmt: skip
    return requests.post(f"{site}/oauth/token", data=given, timeout=60)


def records(site: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{site}/api/v1/records", headers=headers, timeout=60)


def test_a_code_is_exchanged_for_a_token_that_reads_as_the_person(live_server, ada):
    client, _ = client_of()
    SourceGrant.objects.create(user=ada, source=Source.objects.get(name="shop"))
    back = consent(browser_of(ada), client)
    assert back["state"] == "xyz"
    answer = exchange(live_server.url, client, back["code"])
    assert answer.status_code == 200, answer.text
    found = records(live_server.url, answer.json()["access_token"])
    assert [record["id"] for record in found.json()["records"]] == ["shop:1"]
    stored = set(Token.objects.values_list("hash", flat=True))
    assert answer.json()["access_token"] not in stored
    assert audit.Action.ACCESS_GIVEN in AuditEntry.objects.values_list("action", flat=True)
    issued = AuditEntry.objects.get(action=audit.Action.ACCESS_TOKEN_ISSUED)
    assert json.loads(issued.after) == {
        "for": "ada", "grant": "authorization_code", "scopes": ["read"],
    }  # fmt: skip
    assert answer.json()["access_token"] not in issued.after


def test_a_wrong_verifier_and_a_replayed_code_are_refused(live_server, ada):
    client, _ = client_of()
    browser = browser_of(ada)
    wrong = exchange(
        live_server.url, client, consent(browser, client)["code"], code_verifier="x" * 50
    )
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    code = consent(browser, client)["code"]
    token = exchange(live_server.url, client, code).json()["access_token"]
    assert records(live_server.url, token).status_code == 200
    again = exchange(live_server.url, client, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    # Whoever has stolen the code has not got a token that lasts.
    assert records(live_server.url, token).status_code == 401


@pytest.mark.parametrize(
    "other",
    [
        {"redirect_uri": "https://evil.example.org/callback"},
        {"redirect_uri": f"{BACK}?more=1"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": ""},
        {"client_id": "none"},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"client_id": "a\0b"},
        {"resource": "nonsense"},
    ],
)
def test_a_wrong_redirect_or_client_sends_nobody_anywhere(ada, other):
    client, _ = client_of()
    answer = browser_of(ada).get("/oauth/authorize", asked(client, **other))
    assert answer.status_code == 400
    assert "Location" not in answer


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "write"}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
    ],
)
def test_a_wrong_question_is_told_to_the_application(ada, other, error):
    client, _ = client_of()
    answer = browser_of(ada).get("/oauth/authorize", asked(client, **other))
    assert answer.status_code == 302
    assert answer["Location"].startswith(BACK)
    assert f"error={error}" in answer["Location"].replace("#", "?")


def test_a_public_client_needs_a_challenge(ada):
    client, _ = client_of()
    given = asked(client)
    del given["code_challenge"], given["code_challenge_method"]
    answer = browser_of(ada).get("/oauth/authorize", given)
    assert answer.status_code == 302
    assert "error=invalid_request" in answer["Location"]


def test_whoever_says_no_gives_no_code(ada):
    client, _ = client_of()
    back = consent(browser_of(ada), client, action="cancel")
    assert back["error"] == "access_denied"
    assert not Token.objects.exists()


def test_the_question_needs_a_login_and_the_token_of_the_form(ada):
    client, _ = client_of()
    answer = Client().get("/oauth/authorize", asked(client))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=/oauth/authorize")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post("/oauth/authorize", {"action": "grant", "request": "x"}).status_code == 403


def test_the_page_names_who_asks_and_lets_its_form_lead_back(ada):
    client, _ = client_of(sources=["shop"])
    page = browser_of(ada).get("/oauth/authorize", asked(client))
    for words in ("Allow “Report” to use the API as you?", "owner", "ada", "shop"):
        assert words in page.content.decode()
    policy = page["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.org" in policy


def test_a_refresh_token_gives_the_next_token_once(live_server, ada):
    client, secret = client_of(ClientKind.WEB)
    code = consent(browser_of(ada), client)["code"]
    first = exchange(live_server.url, client, code, client_secret=secret).json()
    given = {
        "grant_type": "refresh_token", "refresh_token": first["refresh_token"],
        "client_id": client.pk, "client_secret": secret,
    }  # fmt: skip
    next_ = requests.post(f"{live_server.url}/oauth/token", data=given, timeout=60)
    assert records(live_server.url, next_.json()["access_token"]).status_code == 200
    again = requests.post(f"{live_server.url}/oauth/token", data=given, timeout=60)
    assert again.status_code in (400, 401)


def credentials(site: str, client: OAuthClient, secret: str, **other: str) -> requests.Response:
    given = {"grant_type": "client_credentials"} | other
    return requests.post(f"{site}/oauth/token", data=given, auth=(client.pk, secret), timeout=60)


def test_a_service_reads_as_its_owner_in_its_sources_only(live_server, ada):
    client, secret = client_of(ClientKind.SERVICE, owner=ada, sources=["depot"])
    token = credentials(live_server.url, client, secret).json()["access_token"]
    found = records(live_server.url, token)
    assert [record["id"] for record in found.json()["records"]] == ["depot:1"]
    refused = requests.post(
        f"{live_server.url}/api/v1/process",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert refused.status_code == 403
    assert "may only read" in refused.json()["detail"]


def test_wrong_credentials_and_scopes_beyond_the_client_are_refused(live_server, ada):
    client, secret = client_of(ClientKind.SERVICE, owner=ada)
    assert credentials(live_server.url, client, "wrong").status_code == 401
    beyond = credentials(live_server.url, client, secret, scope="read write")
    assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")
    nul = requests.post(
        f"{live_server.url}/oauth/token",
        data={"grant_type": "client_credentials"}, auth=("a\0b", "x"), timeout=60,
    )  # fmt: skip
    assert nul.status_code in (400, 401)
    bad = credentials(live_server.url, client, secret, resource="nonsense")
    assert bad.status_code == 400


def test_a_token_ends_at_once_by_revocation_deactivation_expiry_and_password(live_server, ada):
    client, secret = client_of(ClientKind.WEB)
    browser = browser_of(ada)

    def new() -> str:
        code = consent(browser, client)["code"]
        answer = exchange(live_server.url, client, code, client_secret=secret)
        return str(answer.json()["access_token"])

    by_client = new()
    requests.post(
        f"{live_server.url}/oauth/revoke",
        data={"token": by_client, "client_id": client.pk, "client_secret": secret}, timeout=60,
    ).raise_for_status()  # fmt: skip
    assert records(live_server.url, by_client).status_code == 401
    by_person = new()
    assert "Report" in browser.get("/account/applications/").content.decode()
    browser.post(f"/account/applications/{client.pk}/end/")
    assert records(live_server.url, by_person).status_code == 401
    by_time = new()
    Token.objects.update(expires_at=timezone.now())
    assert records(live_server.url, by_time).status_code == 401
    by_password = new()
    ada.set_password("another long password")
    ada.save()
    assert records(live_server.url, by_password).status_code == 401
    ada.set_password(PASSWORD)
    ada.save()
    browser = browser_of(ada)
    by_admin = new()
    client.delete()
    assert records(live_server.url, by_admin).status_code == 401


def test_a_token_of_a_deactivated_person_is_refused(live_server, ada):
    client, secret = client_of(ClientKind.SERVICE, owner=ada)
    token = credentials(live_server.url, client, secret).json()["access_token"]
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert records(live_server.url, token).status_code == 401


def test_administrators_create_clients_whose_secret_is_shown_once():
    admin = of_role("Admin", "boss")
    browser = browser_of(admin)
    given = {
        "name": "Report",
        "kind": "web",
        "owner": "boss",
        "scope": "read",
        "redirect_uris": BACK,
    }
    page = browser.post("/settings/clients/", given)
    assert page.status_code == 201, page.content
    client = OAuthClient.objects.get()
    (field,) = tree(page.content.decode()).select("#secret")
    assert client.check_secret(str(field["value"]))
    assert str(field["value"]) not in client.secret
    assert str(field["value"]) not in browser.get("/settings/clients/").content.decode()
    assert browser.get(f"/settings/clients/{client.pk}/revoke/").status_code == 200
    browser.post(f"/settings/clients/{client.pk}/revoke/")
    assert not OAuthClient.objects.exists()
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        audit.Action.CLIENT_CREATED, audit.Action.CLIENT_REVOKED,
    }  # fmt: skip


@pytest.mark.parametrize(
    "uri",
    ["http://app.example.org/", "javascript:alert(1)", "https://*.example.org/", "https://a;b/",
     "https://x@y.example.org/", "https://y.example.org/#a", "app:/back", "https:///x", ""],
)  # fmt: skip
def test_redirect_uris_lead_to_https_or_to_the_own_machine(uri):
    browser = browser_of(of_role("Admin", "boss"))
    given = {
        "name": "Report",
        "kind": "web",
        "owner": "boss",
        "scope": "read",
        "redirect_uris": uri,
    }
    assert browser.post("/settings/clients/", given).status_code == 400
    assert not OAuthClient.objects.exists()


def test_only_administrators_see_clients(ada):
    client, _ = client_of()
    browser = browser_of(ada)
    for path in ("/settings/clients/", f"/settings/clients/{client.pk}/revoke/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path).status_code == 403
    assert browser.post(f"/account/applications/{client.pk}/end/").status_code == 404


def test_the_server_describes_itself():
    told = Client().get("/.well-known/oauth-authorization-server").json()
    assert told["token_endpoint"] == "http://testserver/oauth/token"
    assert told["code_challenge_methods_supported"] == ["S256"]
