"""Logging in with an OpenID Connect provider: a real one, on loopback."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from dataflow_site.environment import pairs, together
from tests.accounts.people import is_in, person
from tests.accounts.provider import CLIENT_ID, CLIENT_SECRET, new_key, running
from tests.markup import href, texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider():
    with running() as started:
        yield started


@pytest.fixture(autouse=True)
def _configured(settings, request):
    if "provider" in request.fixturenames:
        configure(settings, request.getfixturevalue("provider").url)


def configure(settings, url):
    app = {
        "provider_id": "sso",
        "name": "Example Login",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {"server_url": url},
    }
    settings.OIDC = [[url, CLIENT_ID, CLIENT_SECRET]]
    settings.OIDC_NAME = "Example Login"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
    }


def log_in(provider, client=None, *, next_page="", change=lambda path: path):
    """The answer when the provider has sent the browser back."""
    client = client or Client()
    asked = client.get("/login/with/", {"next": next_page} if next_page else {})
    return client.get(change(back(provider, asked["Location"])))


def back(provider, asked):
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
    assert asked.startswith(f"{provider.url}/authorize?")
    returned = urlsplit(provider.asked(query))
    return f"{returned.path}?{returned.query}"


def browser_of(answer):
    """The browser that got an answer."""
    return answer.client


def refused(answer, said="failed"):
    """Whether it leads to the login page, which says so."""
    assert answer["Location"] == "/login/"
    page = browser_of(answer).get("/login/").content.decode()
    assert not is_in(browser_of(answer))
    return any(f"Example Login {said}" in text for text in texts(page, ".notice"))


def test_a_new_person_gets_an_account_without_any_role(provider):
    answer = log_in(provider, next_page="/account/")
    assert answer["Location"] == "/account/"
    grace = User.objects.get()
    assert get_user(answer.wsgi_request) == grace
    assert (grace.username, grace.email) == ("grace", "grace@example.com")
    assert not grace.has_usable_password()
    assert not grace.get_all_permissions()
    assert not grace.is_staff
    assert not grace.is_superuser


def test_a_person_is_known_by_the_subject_and_not_by_name_or_address(provider):
    log_in(provider)
    provider.claims |= {"preferred_username": "hopper", "email": "hopper@example.com"}
    log_in(provider)
    assert User.objects.count() == 1
    provider.claims |= {"sub": "1002"}
    log_in(provider)
    assert User.objects.count() == 2


def test_a_name_that_is_taken_gives_another_one(provider):
    person("grace")
    log_in(provider)
    assert User.objects.count() == 2
    assert User.objects.get(email="grace@example.com").username != "grace"


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_alone_opens_no_account(provider, verified):
    person("ada", email="Grace@Example.com")
    provider.claims["email_verified"] = verified
    answer = log_in(provider)
    assert answer["Location"] == "/login/"
    assert (
        "Another account has the email address"
        in browser_of(answer).get("/login/").content.decode()
    )
    assert User.objects.count() == 1


def test_a_verified_address_opens_its_account_where_the_installation_trusts_it(provider, settings):
    settings.OIDC_LINK_BY_EMAIL = True
    ada = person("ada", email="Grace@Example.com")
    assert log_in(provider)["Location"] == "/login/"
    provider.claims["email_verified"] = "true"
    assert log_in(provider)["Location"] == "/login/"
    provider.claims["email_verified"] = True
    assert get_user(log_in(provider).wsgi_request) == ada
    provider.claims["email"] = "other@example.com"
    assert get_user(log_in(provider).wsgi_request) == ada


def test_roles_come_from_a_claim_at_each_login(provider, settings):
    settings.OIDC_ROLES = {"analysts": "Readers", "data team": "Writers"}
    for name in ("Readers", "Writers", "Given here"):
        Group.objects.get_or_create(name=name)
    provider.claims["groups"] = ["analysts", "unknown"]
    log_in(provider)
    grace = User.objects.get()
    grace.groups.add(Group.objects.get(name="Given here"))
    provider.claims["groups"] = "data team"
    log_in(provider)
    assert set(grace.groups.values_list("name", flat=True)) == {"Writers", "Given here"}
    del provider.claims["groups"]
    log_in(provider)
    assert set(grace.groups.values_list("name", flat=True)) == {"Given here"}


def test_a_closed_account_stays_closed(provider):
    log_in(provider)
    User.objects.update(is_active=False)
    answer = log_in(provider)
    assert answer["Location"] == "/login/"
    assert not is_in(browser_of(answer))


def test_a_token_that_someone_else_has_signed_is_refused(provider):
    provider.signs_with = new_key()
    assert refused(log_in(provider))
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://elsewhere.example"}, {"aud": "another client"}, {"exp": 1}, {"sub": "9"}],
)
def test_a_token_for_others_or_of_another_time_is_refused(provider, claims):
    provider.token_claims = claims
    assert refused(log_in(provider))
    assert not User.objects.exists()


def test_a_token_without_a_signature_is_refused(provider):
    provider.algorithm = "none"
    assert refused(log_in(provider))


def test_user_info_about_someone_else_is_refused(provider):
    provider.user_info = {"sub": "another"}
    assert refused(log_in(provider))


def test_an_answer_that_this_browser_has_not_asked_for_is_refused(provider):
    asked = Client().get("/login/with/")["Location"]
    assert refused(Client().get(back(provider, asked)))
    for change in (
        lambda path: path.replace("state=", "state=x"),
        lambda path: path.partition("?")[0],
        lambda path: path.replace("code=", "code=x"),
    ):
        assert refused(log_in(provider, change=change))


def test_an_answer_counts_once(provider):
    client = Client()
    path = back(provider, client.get("/login/with/")["Location"])
    assert client.get(path)["Location"] == "/"
    client.post("/logout/")
    assert refused(client.get(path))


def test_who_cancels_is_back_at_the_login_page(provider):
    answer = log_in(
        provider,
        change=lambda path: path.replace("code=", "error=access_denied&x="),
    )
    assert refused(answer, "was cancelled")


def test_a_provider_that_does_not_answer_is_told(provider, settings):
    configure(settings, "http://127.0.0.1:9")
    assert refused(Client().get("/login/with/"))


def test_nothing_leads_to_other_sites_and_no_account_gets_another_login(provider):
    answer = log_in(provider, next_page="https://elsewhere.example/")
    assert answer["Location"] == "/"
    client = Client()
    client.force_login(person("ada"))
    assert client.get("/login/with/?process=connect").status_code == 400
    assert client.get("/login/with/?auth_params=prompt=none").status_code == 400


def test_the_login_page_has_a_link_only_where_there_is_a_provider(provider, settings):
    page = Client().get("/login/?next=/runs/").content.decode()
    assert href(page, "a[href*=with]") == "/login/with/?next=/runs/"
    assert "Log in with Example Login" in page
    settings.OIDC, settings.SOCIALACCOUNT_PROVIDERS = [], {}
    page = Client().get("/login/").content.decode()
    assert href(page, "a[href*=with]") is None
    for path in ("/login/with/", "/login/with/back/"):
        assert Client().get(path).status_code == 404


def test_half_a_configuration_is_told(monkeypatch):
    with pytest.raises(ImproperlyConfigured, match="DATAFLOW_OIDC_CLIENT_ID is not set"):
        together(DATAFLOW_OIDC_URL="https://login.example.org", DATAFLOW_OIDC_CLIENT_ID="")
    monkeypatch.setenv("DATAFLOW_OIDC_ROLES", "analysts")
    with pytest.raises(ImproperlyConfigured, match="pairs such as analysts=Viewer"):
        pairs("DATAFLOW_OIDC_ROLES")
