"""Calls of the API by pages of other sites."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from dataflow_site.environment import origins

APP = "https://app.example.org"


@pytest.fixture
def allowed(settings):
    settings.CORS_ORIGINS = [APP]


def preflight(client, path="/api/v1/records", origin=APP):
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    return client.options(path, headers=asked)


@pytest.mark.parametrize("path", ["/api/v1/records", "/records", "/api/v1/none", "/api/"])
def test_a_preflight_of_an_allowed_origin_is_answered_without_credentials(client, allowed, path):
    answer = preflight(client, path)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == APP
    assert "Authorization" in answer["Access-Control-Allow-Headers"]
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize(
    "origin", ["https://other.example", "null", f"{APP}.evil.example", "http://app.example.org"]
)
def test_other_origins_are_allowed_nothing_and_never_answered_401(client, allowed, origin):
    answer = preflight(client, origin=origin)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_by_default_no_origin_is_allowed(client):
    answer = preflight(client)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_responses_can_be_read_by_an_allowed_origin_alone(client, allowed):
    read = client.get("/api/v1/problems", headers={"origin": APP})
    assert read.status_code == 200
    assert read["Access-Control-Allow-Origin"] == APP
    assert "ETag" in read["Access-Control-Expose-Headers"]
    assert "Origin" in read["Vary"]
    other = client.get("/api/v1/problems", headers={"origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in other
    assert "Origin" in other["Vary"]


@pytest.mark.django_db
def test_pages_are_never_for_other_origins(admin_client, allowed):
    answer = admin_client.get("/sources/", headers={"origin": APP})
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("text", ["*", "app.example.org", "https://x.org/", "https://a b"])
def test_what_is_no_origin_stops_the_start(monkeypatch, text):
    monkeypatch.setenv("DATAFLOW_CORS_ORIGINS", text)
    with pytest.raises(ImproperlyConfigured, match="must be a list of origins"):
        origins("DATAFLOW_CORS_ORIGINS")
