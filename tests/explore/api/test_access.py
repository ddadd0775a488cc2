"""Who may use the API, and what it tells about itself."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.landed import land, sale
from tests.people import viewer
from tests.tokens import token_of

pytestmark = pytest.mark.django_db

CLOSED = ["/records", "/records/shop:1", "/stats"]


@pytest.fixture
def user() -> User:
    return viewer("reader", password="a long password")


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("path", CLOSED)
def test_an_anonymous_request_is_answered_401_and_told_how_to_authenticate(prefix, path):
    response = APIClient().get(prefix + path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token, Bearer"
    assert response.json()["detail"]


def test_anonymous_requests_learn_nothing_of_what_exists():
    land("shop", {"1": sale(1)})
    client = APIClient()
    assert client.get("/records/shop:1").content == client.get("/records/shop:2").content
    assert client.get("/records?nonsense=1").status_code == 401
    assert client.post("/process").status_code == 401
    assert client.get("/process").status_code == 401
    assert client.get("/api/").status_code == 401


def test_a_token_opens_the_api_and_needs_no_csrf_token(user):
    token = token_of(user)
    user.user_permissions.add(Permission.objects.get(codename="add_processingrun"))
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/records").status_code == 200
    assert client.post("/process").status_code == 202


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token x",
        "Token a b",
        "Token \u00ff\u00fe",
        "Token \u00c3\u00a4",
        "token " + "0" * 64,
        "Token " + "x" * 5000,
        "Token a\0b",
    ],
)
def test_a_wrong_token_is_answered_401(header):
    response = APIClient().get("/records", headers={"authorization": header})
    assert response.status_code == 401


def test_a_damaged_token_of_a_user_is_answered_401(user):
    token = token_of(user)
    for wrong in (token[:-1], token + "0", token[:20] + "zz" + token[22:]):
        response = APIClient().get("/records", headers={"authorization": f"Token {wrong}"})
        assert response.status_code == 401


def test_the_token_of_a_user_who_left_is_answered_401(user):
    token = token_of(user)
    User.objects.update(is_active=False)
    response = APIClient().get("/records", headers={"authorization": f"Token {token}"})
    assert response.status_code == 401


def test_the_root_lists_the_endpoints(user):
    client = APIClient()
    client.force_login(user)
    links = client.get("/api/").json()
    assert links["records"] == "http://testserver/api/records"
    assert set(links) == {
        "health", "records", "facets", "stats", "export", "ingest", "runs", "process",
        "documentation", "schema",
    }  # fmt: skip
    for name in ("health", "records", "facets", "stats", "runs", "documentation", "schema"):
        assert client.get(links[name]).status_code in (200, 503)


def test_the_description_of_the_api_is_valid_and_complete(tmp_path):
    schema = tmp_path / "schema.yml"
    call_command(
        "spectacular", api_version="v1", validate=True, fail_on_warn=True, file=str(schema)
    )
    text = schema.read_text()
    for path in ("health", "records", "records/{record_id}", "stats", "records/facets", "export",
                 "ingest", "runs", "runs/{kind}/{id}", "exports/{id}", "exports/{id}/file",
                 "sources/{name}", "feeds", "views", "history/{record_id}",
                 "dry-runs"):  # fmt: skip
        assert f"  /api/v1/{path}:\n" in text
    for parameter in ("status", "source", "q", "run", "where", "sort", "raw", "limit", "cursor"):
        assert f"name: {parameter}\n" in text


def test_the_description_names_the_parameters_of_a_path_once():
    described = APIClient().get("/api/schema/?format=json").json()
    for path, methods in described["paths"].items():
        for method in methods.values():
            given = [each for each in method.get("parameters", ()) if each["in"] == "path"]
            names = [each["name"] for each in given]
            assert sorted(names) == sorted(re.findall(r"{(\w+)}", path)), path


@pytest.mark.parametrize(
    "query",
    ["version=%00", "version=%0D%0AX-Y", "version=1", "lang=de", "lang=%00", "a=1"],
)
@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
def test_the_documentation_takes_no_parameters(path, query):
    client = APIClient(raise_request_exception=False)
    assert client.get(f"{path}?{query}").status_code == 400
    assert client.get(f"{path}?{query}&{query}").status_code == 400


def test_the_documentation_is_served_from_this_host_alone():
    client = APIClient()
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"http://" not in page.content
    assert b"https://" not in page.content
    assert b"<style" not in page.content
    assert client.get("/api/docs/?script").status_code == 200
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/schema/?format=json").status_code == 200
