"""What tests of events share: somebody who sends them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.people import viewer

URL = "/api/v1/sources/shop/events"


@pytest.fixture
def sender() -> User:
    return may_import("sender")


@pytest.fixture
def api(sender) -> APIClient:
    return client_of(sender)


def may_import(name: str) -> User:
    user = viewer(name)
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    return user


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def send(
    api: APIClient,
    body: Any,
    *,
    url: str = URL,
    kind: str = "application/json",
    status: int = 201,
    key: str = "",
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Send events; what the answer says."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    given = {**(headers or {}), **({"Idempotency-Key": key} if key else {})}
    answer = api.post(url, text, content_type=kind, headers=given)
    assert answer.status_code == status, answer.content
    return answer.json()


def told(answer: Any) -> list[tuple[str, str | None]]:
    return [(each["outcome"], each["id"]) for each in answer["outcomes"]]
