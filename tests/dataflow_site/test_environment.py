"""A mistake in the environment is one clear line, whatever command meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dataflow_site.environment import mail_server

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATAFLOW_MAX_UPLOAD_BYTES", "2GB", "a whole number of at least 1, not '2GB'"),
        ("DATAFLOW_BATCH_ROWS", "0", "a whole number of at least 1, not '0'"),
        ("DATAFLOW_TRUSTED_PROXIES", "-1", "a whole number of at least 0, not '-1'"),
        ("TIME_ZONE", "Nope/X", "TIME_ZONE can't be 'Nope/X'"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL can't be 'loud'"),
        ("DEBUG", "maybe", "DEBUG must be 1 or 0, not 'maybe'"),
        ("DATABASE_URL", "foo://secret@host/x", "DATABASE_URL is not valid"),
        ("DATABASE_URL", "nothing", "DATABASE_URL is not valid"),
        ("DATABASE_URL", "mysql://secret@host/x", "must start with postgres:// or sqlite://"),
    ],
)
def test_a_wrong_setting_is_named(name, value, sentence, tmp_path):
    settings = {"DJANGO_SETTINGS_MODULE": "dataflow_site.settings", "DATAFLOW_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, **settings, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


# What a browser is told of cookies and of HTTPS, by the switch for an installation behind HTTPS.
SECURITY: dict[str, dict[str, object]] = {
    "0": {
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_HSTS_SECONDS": 0,
        "SECURE_PROXY_SSL_HEADER": None,
    },
    "1": {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
    },
}


@pytest.mark.parametrize("https", SECURITY)
def test_https_switches_secure_cookies_and_hsts(https, tmp_path):
    code = (
        "import json; from django.conf import settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {list(SECURITY[https])}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dataflow_site.settings",
            "DATAFLOW_VAR": str(tmp_path),
            "HTTPS": https,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == SECURITY[https]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 25, "", "", False, False)),
        (
            "smtp+tls://ada:s%40crt@mail.example.org",
            ("mail.example.org", 587, "ada", "s@crt", False, True),
        ),
        ("smtps://ada@mail.example.org:4650", ("mail.example.org", 4650, "ada", "", True, False)),
    ],
)
def test_the_url_of_a_mail_server_says_how_it_is_reached(monkeypatch, url, said):
    monkeypatch.setenv("EMAIL_URL", url)
    assert mail_server() == said


@pytest.mark.parametrize("url", ["mail.example.org", "http://x", "smtp://", "smtp://x:port"])
def test_a_mail_server_that_is_none_is_told_without_its_password(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url.replace("//", "//ada:secret@"))
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must be like") as refused:
        mail_server()
    assert "secret" not in str(refused.value)
