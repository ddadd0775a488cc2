"""JSON that is made to do harm, sent to every URL of the API by someone who may do everything."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from records.models import DataRecord
from tests.landed import land, sale
from tests.security.urls import paths

pytestmark = pytest.mark.django_db

METHODS = ("post", "put", "patch", "delete")
DEPTH = 100_000
BODIES = {
    "deep lists": b"[" * DEPTH + b"]" * DEPTH,
    "deep lists without an end": b"[" * DEPTH,
    "deep objects": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    "a field as deep": b'{"name": ' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "a number of 5,000 digits": b'{"id": ' + b"9" * 5_000 + b', "expect": ' + b"9" * 5_000 + b"}",
    "a number beyond a double": b'{"id": 1e400, "expect": -1e400, "limit": 1e-400}',
    "no numbers": b'{"id": NaN, "expect": Infinity, "limit": -Infinity}',
    "NUL": b'{"id": "\\u0000", "name": "a\\u0000b", "data": {"\\u0000": "\\u0000"}}',
    "half a surrogate": b'{"id": "\\ud800", "name": "\\ud800", "data": {"\\udfff": "\\ud800"}}',
    "the same name twice": b'{"name": "a", "name": {"name": ["b"]}, "id": 1, "id": {}}',
    "bytes that are no UTF-8": b'{"id": "\xff\xfe", "name": "\xc3\x28"}',
    "a list of other things": b'[null, 1, "a", [], {}, [[]], true]',
    "nulls": b'{"id": null, "name": null, "data": null, "rules": null, "query": null}',
    "no object": b"17",
    "nothing": b"",
}


@pytest.fixture
def client() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_json_is_answered_by_an_internal_error(client: APIClient, body: bytes) -> None:
    land("shop", {"1": sale(1), "2": sale(2)})
    before = dict(DataRecord.objects.values_list("id", "data"))
    failed, asked = {}, 0
    for path in paths():
        if not path.startswith("/api/v1/"):
            continue
        for method in METHODS:
            # Deleting takes no body; what it deletes is not under test.
            if method == "delete" and "bulk" not in path:
                continue
            answer = getattr(client, method)(path, body, content_type="application/json")
            asked += answer.status_code not in (404, 405)
            if answer.status_code >= 500:
                failed[f"{method} {path}"] = answer.content[:200]
    assert asked > 10
    assert failed == {}
    # Any object may be an event.
    left = DataRecord.objects.exclude(run__trigger="events")
    assert dict(left.values_list("id", "data")) == before
