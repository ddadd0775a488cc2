"""`manage.py mcp` says what it lacks before an assistant relies on it."""

import pytest
from django.core.management import CommandError, call_command

from tests.people import viewer
from tests.tokens import token_of

pytestmark = pytest.mark.django_db


def failure(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("mcp", *arguments)
    assert caught.value.returncode == 2
    return str(caught.value)


def test_a_missing_or_wrong_token_is_named(monkeypatch):
    monkeypatch.delenv("DATAFLOW_TOKEN", raising=False)
    assert "DATAFLOW_TOKEN" in failure()
    monkeypatch.setenv("DATAFLOW_TOKEN", "nonsense")
    assert "There is no such API token" in failure()


@pytest.mark.parametrize(
    "url", ["ftp://localhost", "localhost:8000", "http://", "http://localhost:x", "http://a@b"]
)
def test_a_url_that_is_none_is_refused(monkeypatch, url):
    monkeypatch.setenv("DATAFLOW_TOKEN", token_of(viewer("reader")))
    assert "is not the URL of an installation" in failure("--url", url)


def test_a_host_that_is_not_allowed_is_refused(monkeypatch):
    monkeypatch.setenv("DATAFLOW_TOKEN", token_of(viewer("reader")))
    assert "ALLOWED_HOSTS" in failure("--url", "https://elsewhere.example.org")
