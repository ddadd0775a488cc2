"""Another key for stored records, by API."""

import pytest
from rest_framework.test import APIClient

from accounts.models import SourceGrant
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, Source, Undo
from tests.factories import WORKER, load
from tests.people import of_role

pytestmark = pytest.mark.django_db
URL = "/api/v1/sources/shop/rekey"


@pytest.fixture
def api(tmp_path) -> APIClient:
    file = tmp_path / "orders.csv"
    file.write_text("customer,order_no,city\n1,a,Rome\n2,b,Rome\n")
    load(file, source="shop", id=["customer"])
    client = APIClient()
    client.force_login(of_role("Operator", "ann"))
    return client


def ids() -> list[str]:
    return sorted(DataRecord.objects.values_list("pk", flat=True))


def test_records_get_the_key_of_other_columns_and_their_former_one_back(api):
    answer = api.post(URL, {"id": ["order_no"]}, format="json")
    assert answer.status_code == 202, answer.json()
    run = IngestionRun.objects.get(is_rekey=True)
    assert answer["Location"] == f"http://testserver/api/v1/runs/rekey/{run.pk}"
    work_on(run, WORKER)
    assert ids() == ["shop:a", "shop:b"]
    assert api.get(answer["Location"]).json()["rekeyed"] == 2
    answer = api.post(f"/api/v1/runs/ingestion/{run.pk}/undo")
    work_on(Undo.objects.get(run=run), WORKER)
    assert answer.status_code == 202
    assert ids() == ["shop:1", "shop:2"]


def test_a_key_that_repeats_changes_nothing_and_says_where(api):
    answer = api.post(URL, {"id": ["city"]}, format="json")
    work_on(IngestionRun.objects.get(is_rekey=True), WORKER)
    error = api.get(answer["Location"]).json()["error"]
    assert "'Rome' in line 2 of run" in error
    assert ids() == ["shop:1", "shop:2"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"id": ["order"]}, "did you mean 'order_no'?"),
        ({"id": []}, "id"),
        ({"id": "order_no"}, "id"),
        ({}, "id"),
        ({"id": ["order_no"], "odd": 1}, "odd"),
    ],
)
def test_a_key_that_can_not_be_is_refused(api, body, sentence):
    answer = api.post(URL, body, format="json")
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not IngestionRun.objects.filter(is_rekey=True).exists()


def test_only_one_key_is_given_at_a_time(api):
    assert api.post(URL, {"id": ["order_no"]}, format="json").status_code == 202
    assert api.post(URL, {"id": ["order_no"]}, format="json").status_code == 409


def test_who_may_not_change_the_source_or_see_it_gives_no_key(api):
    reader = APIClient()
    reader.force_login(of_role("Editor", "eve"))
    assert reader.post(URL, {"id": ["order_no"]}, format="json").status_code == 403
    limited = of_role("Operator", "bob")
    SourceGrant.objects.create(user=limited, source=Source.objects.create(name="depot"))
    reader.force_login(limited)
    assert reader.post(URL, {"id": ["order_no"]}, format="json").status_code == 404
