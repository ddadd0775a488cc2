"""What browsers are told: the policy of contents in its exact words, and the flags of cookies."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PROXIED = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="a long password"))
    return client


@pytest.fixture
def https(settings) -> None:
    """The settings of an installation with HTTPS=1, which `test_environment` compares."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_REDIRECT = settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_REDIRECT_EXEMPT = ["^health$"]


def directives(policy: str) -> set[str]:
    return {" ".join(part.split()) for part in policy.split(";")}


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/nothing", "/admin/", "/api/stats", "/api/docs/", "/health"]
)
def test_every_response_has_the_policy_and_the_headers(client, path):
    response = client.get(path)
    assert directives(response["Content-Security-Policy"]) == directives(POLICY)
    for name, value in HEADERS.items():
        assert response[name] == value, name
    assert {"private", "no-store"} <= directives(response["Cache-Control"].replace(",", ";"))


def log_in(**headers: str) -> Client:
    User.objects.create_user("ada", password="a long password")
    client = Client()
    client.get("/login/", headers=headers)
    form = {"username": "ada", "password": "a long password"}
    assert client.post("/login/", form, headers=headers).status_code == 302
    return client


def test_cookies_are_for_this_site_and_that_of_the_session_is_not_for_scripts():
    cookies = log_in().cookies
    assert cookies["sessionid"]["httponly"]
    assert {cookies[name]["samesite"] for name in ("sessionid", "csrftoken")} == {"Lax"}
    assert not cookies["sessionid"]["secure"]


@pytest.mark.usefixtures("https")
def test_behind_https_cookies_are_secure_and_browsers_stay_with_it():
    cookies = log_in(**PROXIED).cookies
    assert cookies["sessionid"]["secure"]
    assert cookies["csrftoken"]["secure"]
    policy = Client().get("/login/", headers=PROXIED)["Strict-Transport-Security"]
    assert policy == "max-age=31536000; includeSubDomains"


@pytest.mark.usefixtures("https")
def test_plain_http_is_redirected_but_for_the_question_whether_the_site_is_alive():
    answer = Client().get("/login/")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/login/")
    assert Client().get("/health").status_code != 301


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example"]
)
@pytest.mark.parametrize("path", ["/login/", "/api/stats", "/nothing", "/password/reset/"])
def test_another_host_name_is_refused(settings, host, path):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    assert Client().get(path, headers={"Host": host}).status_code == 400
