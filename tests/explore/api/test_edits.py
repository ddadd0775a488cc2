"""Records are changed and deleted by API, one by one or all that a filter finds."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from accounts.models import AuditEntry, SourceGrant
from explore.explorer import bulk_actions
from records import store
from records.models import DataRecord, Source
from tests.factories import counted, recounted
from tests.landed import land, process_all, sale
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db
ONE = "/api/v1/records/shop:1"


@pytest.fixture
def user() -> User:
    return of_role("Operator", "ada")


@pytest.fixture
def api(user) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture(autouse=True)
def shop() -> None:
    land("shop", {"1": sale(1), "2": sale(2), "3": sale(3)})
    land("depot", {"1": sale(1)})
    process_all()


def data(record_id: str = "shop:1") -> Any:
    return DataRecord.objects.get(pk=record_id).data


def test_put_replaces_all_cells_and_leaves_a_version(api, user):
    before = data()
    answer = api.put(ONE, {"data": {"id": "1", "n": 5}}, format="json")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"id": "1", "n": 5}
    record = DataRecord.objects.get(pk="shop:1")
    assert (record.version, record.status, record.data) == (2, "raw", {"id": "1", "n": 5})
    version = record.versions.get()
    assert (version.data, version.reason, version.replaced_by_user) == (before, "edit", user)
    assert counted() == recounted()


def test_patch_changes_some_cells(api):
    before = data()
    assert api.patch(ONE, {"data": {"note": "x"}}, format="json").status_code == 200
    assert data() == {**before, "note": "x"}


def test_a_change_that_changes_nothing_leaves_the_record_as_it_is(api):
    assert api.put(ONE, {"data": data()}, format="json").status_code == 200
    record = DataRecord.objects.get(pk="shop:1")
    assert (record.version, record.status) == (1, "processed")


def test_a_record_with_a_large_number_can_be_changed_again(api):
    for number in (1e20, 1e300, 5):
        answer = api.put(ONE, {"data": {"id": "1", "n": number}}, format="json")
        assert answer.status_code == 200
        # As PostgreSQL gives it back, 1e300 is the whole number 10**300.
        assert float(data()["n"]) == number


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_lost_update_is_refused(api, method):
    tag = api.get(ONE)["ETag"]
    newer = api.patch(ONE, {"data": {"note": "x"}}, format="json", headers={"If-Match": tag})
    assert newer.status_code == 200
    change = getattr(api, method)
    body = {"data": {"note": "y"}}
    answer = change(ONE, body, format="json", headers={"If-Match": tag})
    assert answer.status_code == 412
    assert "has changed meanwhile" in answer.json()["detail"]
    assert data()["note"] == "x"
    answer = change(ONE, body, format="json", headers={"If-Match": newer["ETag"]})
    assert answer.status_code in (200, 204)


@pytest.mark.parametrize("tag", ["x", '"1"', 'W/"1.0123456789abcdef"', '"1.0"', ""])
def test_an_if_match_that_no_record_has_is_refused(api, tag):
    answer = api.patch(ONE, {"data": {"n": 1}}, format="json", headers={"If-Match": tag})
    assert answer.status_code == 412


def test_one_of_several_tags_is_enough(api):
    tags = f'"0123456789abcdef.0123456789abcdef", {api.get(ONE)["ETag"]}'
    answer = api.patch(ONE, {"data": {"n": 1}}, format="json", headers={"If-Match": tags})
    assert answer.status_code == 200


def test_a_record_that_was_deleted_and_imported_anew_is_another_one(api):
    tag = api.get(ONE)["ETag"]
    api.delete(ONE)
    land("shop", {"1": sale(1)})
    answer = api.delete(ONE, headers={"If-Match": tag})
    assert answer.status_code == 412
    assert answer.json()["code"] == "precondition_failed"


def test_whoever_has_a_record_already_is_answered_that_it_has_not_changed(api):
    tag = api.get(ONE)["ETag"]
    assert api.get(ONE, headers={"If-None-Match": tag}).status_code == 304
    api.patch(ONE, {"data": {"n": 1}}, format="json")
    assert api.get(ONE, headers={"If-None-Match": tag}).status_code == 200


def test_processing_is_no_change_of_the_record(api):
    tag = api.get(ONE)["ETag"]
    api.patch(ONE, {"data": {"note": "x"}}, format="json")
    tag = api.get(ONE)["ETag"]
    process_all()
    assert api.get(ONE)["ETag"] != tag
    answer = api.patch(ONE, {"data": {"n": 1}}, format="json", headers={"If-Match": tag})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    ['{}', '[]', '{"data": []}', '{"data": {"a": "\\u0000"}}', '{"data": {"a": 1e999}}',
     '{"data": {}, "id": "x"}', '{"data": {"a": "\\ud800"}}', "{", '{"data": {"a": NaN}}',
     '{"data": {"a": %s}}' % ("[" * 2000 + "]" * 2000), '{"data": {"a": "%s"}}' % ("x" * 1048577)],
    ids=range(11),
)  # fmt: skip
@pytest.mark.parametrize("url", [ONE, "/api/v1/records?source=shop&expect=3"])
def test_data_that_no_record_can_hold_is_refused(api, url, body):
    before = data()
    answer = api.patch(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert data() == before


def test_a_record_is_deleted(api):
    assert api.delete(ONE).status_code == 204
    assert not DataRecord.objects.filter(pk="shop:1").exists()
    assert counted() == recounted()
    for method in (api.delete, api.put, api.patch):
        assert method(ONE, {"data": {}}, format="json").status_code == 404


def test_records_of_a_filter_are_changed_if_they_are_as_many_as_expected(api):
    url = "/api/v1/records?source=shop"
    answer = api.patch(f"{url}&expect=2", {"data": {"note": "x"}}, format="json")
    assert answer.status_code == 409
    assert "3 records match, not 2. Nothing was changed." in answer.json()["detail"]
    assert "note" not in data() or data()["note"] != "x"
    answer = api.patch(f"{url}&expect=3", {"data": {"note": "x"}}, format="json")
    assert answer.json() == {"records": 3}
    assert [data(f"shop:{n}")["note"] for n in (1, 2, 3)] == ["x", "x", "x"]
    assert data("depot:1").get("note") != "x"
    assert DataRecord.objects.get(pk="shop:2").versions.count() == 1
    assert counted() == recounted()
    # Once more, that changes nothing.
    answer = api.patch(f"{url}&expect=3", {"data": {"note": "x"}}, format="json")
    assert answer.json() == {"records": 0}


def test_records_of_a_filter_are_deleted_if_they_are_as_many_as_expected(api):
    assert api.delete("/api/v1/records?source=shop&expect=4").status_code == 409
    assert DataRecord.objects.count() == 4
    assert api.delete("/api/v1/records?source=shop&expect=3").json() == {"records": 3}
    assert [record.pk for record in DataRecord.objects.all()] == ["depot:1"]
    assert counted() == recounted()


def test_more_than_the_most_are_not_changed_at_once(api, monkeypatch):
    monkeypatch.setattr(bulk_actions, "MOST", 2)
    answer = api.delete("/api/v1/records?source=shop&expect=3")
    assert answer.status_code == 409
    assert "at most 2" in answer.json()["detail"]
    assert DataRecord.objects.count() == 4


@pytest.mark.parametrize(
    "query",
    ["source=shop", "expect=x", "expect=-1", "expect=20001", "expect=", "expect=1&expect=2",
     "expect=1&odd=1", "expect=1&sort=id", "expect=1&status=odd"],
)  # fmt: skip
def test_a_change_by_filter_that_makes_no_sense_is_refused(api, query):
    for answer in (
        api.delete(f"/api/v1/records?{query}"),
        api.patch(f"/api/v1/records?{query}", {"data": {"n": 1}}, format="json"),
    ):
        assert answer.status_code == 400, json.loads(answer.content)
    assert DataRecord.objects.count() == 4


@pytest.mark.parametrize("url", [ONE, "/api/v1/records?source=shop&expect=3"])
def test_a_change_is_entered_into_the_audit_log(api, url):
    api.patch(url, {"data": {"note": "x"}}, format="json")
    entry = AuditEntry.objects.last_entry()
    assert entry
    assert (entry.source, entry.user_name) == ("shop", "ada")
    if url == ONE:
        assert (entry.action, entry.object_id) == ("record.edited", "shop:1")
        assert json.loads(entry.after) == {"data": {"note": "x"}, "version": 2}
    else:
        assert (entry.action, entry.object_label) == ("records.edited", "3 records")
        assert json.loads(entry.before) == {"ids": ["shop:1", "shop:2", "shop:3"]}
        assert json.loads(entry.after) == {"data": {"note": "x"}}
    api.delete(url)
    entry = AuditEntry.objects.last_entry()
    assert entry
    assert entry.action == "records.deleted"


def test_a_closed_record_that_is_changed_is_still_closed(api, user):
    last = DataRecord.objects.get(pk="shop:1").run
    DataRecord.objects.filter(pk="shop:1").update(closed_by=last)
    store.check_counts(repair=True)
    assert api.patch(ONE, {"data": {"note": "x"}}, format="json").status_code == 200
    assert counted() == recounted()


def test_records_of_a_source_that_one_may_not_see_are_not_found(api, user):
    SourceGrant.objects.create(user=user, source=Source.objects.get(name="depot"))
    body = {"data": {"n": 1}}
    for method in (api.put, api.patch, api.delete):
        assert method(ONE, body, format="json").status_code == 404
    for method in (api.patch, api.delete):
        answer = method("/api/v1/records?source=shop&expect=3", body, format="json")
        assert answer.status_code in (400, 404, 409)
        # What is beyond the limit is not counted either.
        assert method("/api/v1/records?expect=4", body, format="json").status_code == 409
    assert DataRecord.objects.filter(version=1).count() == 4
    assert api.delete("/api/v1/records?expect=1").json() == {"records": 1}
    assert not DataRecord.objects.filter(pk="depot:1").exists()


def test_who_may_only_read_changes_nothing(api):
    client = APIClient()
    client.force_authenticate(viewer())
    body = {"data": {"n": 1}}
    for url in (ONE, "/api/v1/records?source=shop&expect=3"):
        assert client.patch(url, body, format="json").status_code == 403
        assert client.delete(url).status_code == 403
    assert client.put(ONE, body, format="json").status_code == 403
    assert APIClient().delete(ONE).status_code == 401


def test_an_editor_changes_records_and_deletes_none():
    client = APIClient()
    client.force_authenticate(of_role("Editor", "eve"))
    assert client.patch(ONE, {"data": {"n": 1}}, format="json").status_code == 200
    assert client.delete(ONE).status_code == 403
