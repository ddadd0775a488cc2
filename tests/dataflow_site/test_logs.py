"""What the log says of requests."""

import logging.config

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(settings, caplog):
    """The log as it is written."""
    configurator = logging.config.DictConfigurator(settings.LOGGING)
    formatter = configurator.configure_formatter(settings.LOGGING["formatters"]["line"])
    return lambda: [formatter.format(record) for record in caplog.records]


@pytest.mark.parametrize("url", ["/explore/?cursor=%1B[31m%0Ax", "/explore/?status=%00"])
def test_a_request_that_makes_no_sense_is_one_line(admin_client, log, url):
    assert admin_client.get(url).status_code == 400
    (line,) = log()
    assert "Bad Request" in line or "/explore/" in line
    assert line.isprintable()


def test_a_host_that_is_not_ours_is_one_line(client, log):
    assert client.get("/", headers={"host": "a\x1b[31m\nb"}).status_code == 400
    (line,) = log()
    assert "Invalid HTTP_HOST header" in line
    assert line.isprintable()


def test_a_fault_of_ours_is_told_with_its_traceback(admin_client, log, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("a\x1b[31mb")

    monkeypatch.setattr("explore.pages.sources.record_counts.by_source", fail)
    admin_client.raise_request_exception = False
    assert admin_client.get("/sources/").status_code == 500
    (line,) = log()
    assert line.splitlines()[1] == "Traceback (most recent call last):"
    assert line.splitlines()[-1] == r"RuntimeError: a\x1b[31mb"
