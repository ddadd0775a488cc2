"""Tokens of django-rest-knox, which earlier versions used, work on until they expire."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken
from tests import audit_table

TABLE = """
CREATE TABLE knox_authtoken (
    digest varchar(128) PRIMARY KEY, token_key varchar(25), user_id integer NOT NULL,
    created {moment} NOT NULL, expiry {moment} NULL
)"""
BEFORE, AFTER = ("accounts", "0002_api_tokens"), ("accounts", "0003_knox_tokens")


def status(token: str) -> int:
    return APIClient().get("/api/", headers={"authorization": f"Token {token}"}).status_code


@pytest.fixture
def moved(transactional_db) -> dict[str, str]:
    """The tokens of a table of knox, by what becomes of them, after the migration."""
    owner = User.objects.create_user("ada")
    ContentType.objects.create(app_label="knox", model="authtoken")
    now = timezone.now()
    expiries = {"endless": None, "short": now + timedelta(days=3), "over": now - timedelta(days=1)}
    tokens = {name: hashlib.sha256(name.encode()).hexdigest() for name in expiries}
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    executor.migrate([BEFORE])
    moment = "timestamp with time zone" if connection.vendor == "postgresql" else "datetime"
    with connection.cursor() as cursor:
        cursor.execute(TABLE.format(moment=moment))
        for name, token in tokens.items():
            digest = hashlib.sha512(token.encode()).hexdigest()
            row: list[Any] = [
                digest,
                token[:15],
                owner.pk,
                now - timedelta(days=400),
                expiries[name],
            ]
            cursor.execute("INSERT INTO knox_authtoken VALUES (%s, %s, %s, %s, %s)", row)
    executor = MigrationExecutor(connection)
    executor.migrate(latest)
    audit_table.let_be_emptied()
    return tokens


def test_tokens_of_knox_are_moved_over_and_its_table_is_dropped(moved):
    assert {name: status(token) for name, token in moved.items()} == {
        "endless": 200, "short": 200, "over": 401,
    }  # fmt: skip
    now = timezone.now()
    for name, days in (("endless", 90), ("short", 3)):
        expires = (now + timedelta(days=days, minutes=-5), now + timedelta(days=days))
        assert ApiToken.objects.filter(prefix=moved[name][:15], expires_at__range=expires).exists()
    endless = ApiToken.objects.get(prefix=moved["endless"][:15])
    assert now - endless.created_at > timedelta(days=399)
    assert (endless.kind, endless.scope, endless.sources) == ("personal", "write", None)
    assert "knox_authtoken" not in connection.introspection.table_names()
    assert not ContentType.objects.filter(app_label="knox").exists()
    ApiToken.objects.update(expires_at=now)
    assert status(moved["endless"]) == 401
