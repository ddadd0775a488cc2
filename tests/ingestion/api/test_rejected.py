"""Rejected rows by API: list them, read one, repair it, replay many."""

from base64 import b64decode

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RejectedRow, Source
from tests.factories import WORKER, load
from tests.people import viewer

pytestmark = pytest.mark.django_db
REPAIRED = {"cells": {"id": "2"}}


@pytest.fixture
def held(tmp_path) -> IngestionRun:
    path = tmp_path / "people.csv"
    path.write_bytes(b"id,name,value\n1,Ada,1\n,Bob,2\n3,Cy\xff\n4,Dee,4\n,Eve,5\n")
    return load(path, "people", id=["id"])


@pytest.fixture
def of_json(tmp_path) -> IngestionRun:
    path = tmp_path / "things.ndjson"
    path.write_text('{"id": 1, "n": 1}\n{"n": 2}\n')
    return load(path, "things", id=["id"])


@pytest.fixture
def user() -> User:
    return viewer("reader")


@pytest.fixture
def reader(user) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def api(user, reader) -> APIClient:
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    return reader


def row(line: int) -> RejectedRow:
    return RejectedRow.objects.open().get(line=line)


def listed(client: APIClient, path: str) -> list[int]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.json()
    return [each["line"] for each in answer.json()["rejected_rows"]]


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_a_row_is_listed_with_its_text_and_reason(reader, held, prefix):
    answer = reader.get(f"{prefix}/rejected-rows?source=people&code=too_few_cells")
    (found,) = answer.json()["rejected_rows"]
    assert (found["line"], found["text"], found["encoding"]) == (4, "3,Cy\xff\n", "cp1252")
    assert (found["code"], found["state"], found["size"]) == ("too_few_cells", "open", 6)
    assert "2 cells" in found["message"]
    assert found["remedy"].startswith("Add the missing cells")


def test_one_row_has_its_exact_bytes_and_its_cells(reader, held):
    found = reader.get(f"/api/rejected-rows/{row(4).pk}").json()
    assert b64decode(found["raw"]) == b"3,Cy\xff\n"
    assert found["cells"] is None
    found = reader.get(f"/api/rejected-rows/{row(3).pk}").json()
    assert found["cells"] == {"id": "", "name": "Bob", "value": "2"}


def test_rows_are_found_by_run_code_column_and_state(reader, held, of_json):
    assert listed(reader, "/api/rejected-rows") == [3, 4, 6, 2]
    assert listed(reader, f"/api/runs/{held.pk}/rejected-rows") == [3, 4, 6]
    assert listed(reader, f"/api/rejected-rows?run={of_json.pk}") == [2]
    assert listed(reader, "/api/rejected-rows?code=missing_key&column=id&source=people") == [3, 6]
    assert listed(reader, "/api/rejected-rows?state=resolved") == []


def test_pages_follow_each_other(reader, held):
    first = reader.get(f"/api/runs/{held.pk}/rejected-rows?limit=2").json()
    assert [each["line"] for each in first["rejected_rows"]] == [3, 4]
    assert listed(reader, first["next"]) == [6]


@pytest.mark.parametrize(
    "query",
    ["run=x", "run=0", "run=99999999999999999999", "state=odd", "code=%00", "cursor=odd", "a=1"],
)
def test_a_filter_that_makes_no_sense_is_an_error(reader, held, query):
    assert reader.get(f"/api/rejected-rows?{query}").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/rejected-rows/99999", "/runs/99999/rejected-rows", "/rejected-rows?run=99999",
     "/rejected-rows/99999999999999999999"],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(reader, held, path):
    assert reader.get(f"/api{path}").status_code == 404


def test_a_repaired_row_becomes_a_record(api, held, user):
    answer = api.post(f"/api/rejected-rows/{row(4).pk}/replay", {"text": "3,Cyd,3"}, format="json")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["state"], told["record"]) == ("resolved", "people:3")
    record = DataRecord.objects.get(pk="people:3")
    assert (record.data["name"], record.line, record.run_id) == ("Cyd", 4, told["replay"])
    made = IngestionRun.objects.get(pk=told["replay"])
    assert (made.trigger, made.user, made.parent) == ("api", user, held)


def test_cells_can_be_repaired_one_by_one(api, held):
    path = f"/api/rejected-rows/{row(3).pk}/replay"
    told = api.post(path, {"cells": {"id": "2, b"}}, format="json").json()
    assert told["record"] == "people:2, b"
    assert DataRecord.objects.get(pk="people:2, b").data == {
        "id": "2, b", "name": "Bob", "value": "2",
    }  # fmt: skip


def test_a_row_of_json_is_repaired_as_text(api, of_json):
    path = f"/api/rejected-rows/{row(2).pk}/replay"
    assert api.post(path, {"cells": {"id": "2"}}, format="json").status_code == 400
    assert api.post(path, {"text": '{"id": 2, "n": 2}'}, format="json").status_code == 200
    assert DataRecord.objects.get(pk="things:2").data == {"id": 2, "n": 2}


def test_a_repair_that_does_not_help_is_refused_with_the_reason(api, held):
    path = f"/api/rejected-rows/{row(3).pk}/replay"
    answer = api.post(path, {"text": ",Bob,2"}, format="json")
    assert answer.status_code == 400
    assert "The row has no key" in answer.json()["errors"]["id"][0]
    assert IngestionRun.objects.count() == 1
    assert row(3).fixed == ""


def test_a_row_is_replayed_once(api, held):
    path = f"/api/rejected-rows/{row(3).pk}/replay"
    assert api.post(path, {"text": "2,Bob,2"}, format="json").status_code == 200
    answer = api.post(path, {"text": "5,Bob,2"}, format="json")
    assert answer.status_code == 409
    assert "already been replayed" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", {"text": [1]}, {"cells": {}}, {"cells": {"odd": "1"}},
        {"text": "1,a,b", "cells": {"id": "1"}}, {"txt": "1"}, {"text": "a\0b"},
        {"cells": {"id": "\0"}}, {"cells": [1]},
    ],
)  # fmt: skip
def test_a_repair_that_makes_no_sense_is_an_error(api, held, body):
    answer = api.post(f"/api/rejected-rows/{row(3).pk}/replay", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert RejectedRow.objects.open().count() == 3


def test_rows_of_a_run_are_replayed_by_number(api, held):
    row(3)
    RejectedRow.objects.filter(line=3).update(fixed="2,Bob,2")
    RejectedRow.objects.filter(line=6).update(fixed="5,Eve,5")
    answer = api.post(f"/api/runs/{held.pk}/replay", {"ids": [row(6).pk]}, format="json")
    assert answer.status_code == 202
    made = IngestionRun.objects.get(pk=answer.json()["id"])
    assert answer["Location"].endswith(f"/runs/{made.pk}")
    assert made.state == "queued"
    done = work_on(made, WORKER)
    assert done is not None
    assert done.created == 1
    assert {each.line for each in RejectedRow.objects.open()} == {3, 4}


def test_rows_of_a_run_are_replayed_by_code_or_all(api, held):
    path = f"/api/runs/{held.pk}/replay"
    made = IngestionRun.objects.get(
        pk=api.post(path, {"code": "missing_key"}, format="json").json()["id"]
    )
    assert made.selection == "missing_key"
    assert work_on(made, WORKER).rejected == 2  # type: ignore[union-attr]
    made = IngestionRun.objects.get(
        pk=api.post(path, {"encoding": "latin-1"}, format="json").json()["id"]
    )
    assert (made.selection, made.reading) == (None, {"encoding": "iso8859-1"})


def test_a_run_without_open_rows_can_not_be_replayed(api, tmp_path):
    (tmp_path / "good.csv").write_text("id,a\n1,2\n")
    run = load(tmp_path / "good.csv", "good")
    answer = api.post(f"/api/runs/{run.pk}/replay", {}, format="json")
    assert answer.status_code == 409
    assert "no open rejected rows" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"ids": []}, {"ids": [1], "code": "missing_key"}, {"code": "odd"}, {"ids": ["x"]},
        {"ids": [2**63]}, {"encoding": "odd"}, {"all": True}, [1], {"ids": [99999]},
    ],
)  # fmt: skip
def test_a_replay_that_makes_no_sense_is_an_error(api, held, body):
    answer = api.post(f"/api/runs/{held.pk}/replay", body, format="json")
    assert answer.status_code == 400
    assert IngestionRun.objects.count() == 1


def test_rows_of_another_run_are_not_replayed(api, held, of_json):
    other = RejectedRow.objects.get(run=of_json)
    answer = api.post(f"/api/runs/{held.pk}/replay", {"ids": [other.pk]}, format="json")
    assert answer.status_code == 400
    assert RejectedRow.objects.open().count() == 4


def test_reading_needs_no_right_to_import_but_repair_and_replay_do(reader, held):
    assert listed(reader, "/api/rejected-rows") == [3, 4, 6]
    for path in (f"/api/rejected-rows/{row(3).pk}/replay", f"/api/runs/{held.pk}/replay"):
        answer = reader.post(path, {}, format="json")
        assert answer.status_code == 403
        assert "replay rejected rows" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/rejected-rows", "/rejected-rows/1", "/runs/1/rejected-rows"])
def test_anonymous_requests_are_answered_401(db, path):
    assert APIClient().get(path).status_code == 401


def test_a_row_that_the_mapping_of_its_source_no_longer_fits_is_not_repaired(api, held):
    Source.objects.filter(name="people").update(mapping={"id": ["number"]})
    answer = api.post(f"/api/v1/rejected-rows/{row(3).pk}/replay", REPAIRED, format="json")
    assert answer.status_code == 409
    assert "names columns that it lacks" in answer.json()["detail"]
    assert not row(3).fixed
