"""POST /process."""

import pytest
from django.contrib.auth.models import Permission, User
from django_q.models import OrmQ
from rest_framework.test import APIClient

from records.jobs.runner import work_on
from records.models import DataRecord, ProcessingRun
from tests.landed import land, sale
from tests.people import viewer
from tests.tokens import token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    user = viewer("operator", password="a long password")
    user.user_permissions.add(Permission.objects.get(codename="add_processingrun"))
    return user


@pytest.fixture
def api(operator) -> APIClient:
    client = APIClient()
    client.force_login(operator)
    return client


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_processing_is_queued_for_the_worker(api, operator, prefix):
    land("shop", {"1": sale(1)})
    waiting = OrmQ.objects.count()
    response = api.post(f"{prefix}/process")
    run = ProcessingRun.objects.latest("pk")
    assert response.status_code == 202
    assert response.json() == {
        "message": "Processing triggered",
        "status": "started",
        "run": run.pk,
    }
    assert (run.state, run.trigger, run.user) == ("queued", "api", operator)
    assert (run.source, run.limit) == (None, None)
    assert OrmQ.objects.count() == waiting + 1


def test_the_run_processes_what_is_raw(api):
    land("shop", {"1": sale(1)})
    work_on(ProcessingRun.objects.get(pk=api.post("/process").json()["run"]), "tests")
    assert DataRecord.objects.get().status == "processed"


@pytest.mark.parametrize("encoding", ["json", "multipart", None])
def test_source_and_limit_are_taken_from_json_and_from_forms(api, encoding):
    land("shop", {"1": sale(1)})
    body = {"source": "shop", "limit": 5}
    if encoding is None:
        response = api.post(
            "/process", "source=shop&limit=5", content_type="application/x-www-form-urlencoded"
        )
    else:
        response = api.post("/process", body, format=encoding)
    run = ProcessingRun.objects.get(pk=response.json()["run"])
    assert (str(run.source), run.limit) == ("shop", 5)


def test_nothing_narrows_the_run_when_the_fields_are_null(api):
    response = api.post("/process", {"source": None, "limit": None}, format="json")
    assert ProcessingRun.objects.get(pk=response.json()["run"]).source is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"source": "unknown"}', "source: There is no source"),
        ('{"source": ""}', "source: "),
        ('{"source": 5.5e300}', "source: "),
        ('{"source": ["shop"]}', "source: "),
        ('{"source": "\\u0000"}', "source: "),
        ('{"source": "\\ud800"}', "JSON parse error"),
        ('{"limit": 0}', "limit: "),
        ('{"limit": -5}', "limit: "),
        ('{"limit": "many"}', "limit: "),
        ('{"limit": 1.5}', "limit: "),
        ('{"limit": 9223372036854775808}', "limit: "),
        ('{"limit": ' + "9" * 400 + "}", "limit: "),
        ('{"limit": ' + "9" * 5000 + "}", "JSON parse error"),
        ('{"limit": NaN}', "JSON parse error"),
        ('{"limit": true, "sauce": 1}', "sauce: Unknown field."),
        ('{"\\ud800": 1}', "JSON parse error"),
        ("[1]", ""),
        ("null", ""),
        ('"x"', ""),
        ("{", "JSON parse error"),
        (b"\xff\xfe", "JSON parse error"),
        ("[" * 200_000, "JSON parse error - nested too deeply."),
        ('"' + "x" * 3_000_000 + '"', "The request is too large."),
    ],
)
def test_a_wrong_body_is_answered_400_and_queues_nothing(api, body, named):
    land("shop", {"1": sale(1)})
    runs = ProcessingRun.objects.count()
    response = api.post("/process", body, content_type="application/json")
    assert response.status_code == 400
    assert named in response.json()["detail"]
    assert ProcessingRun.objects.count() == runs


def test_a_body_of_another_kind_is_answered_415(api):
    assert api.post("/process", "<x/>", content_type="text/xml").status_code == 415


def test_parameters_belong_into_the_body(api):
    assert api.post("/process?limit=5").status_code == 400


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_other_methods_are_answered_405(api, prefix):
    for method in (api.get, api.put, api.patch, api.delete):
        assert method(f"{prefix}/process").status_code == 405


def test_who_may_not_start_processing_is_answered_403():
    client = APIClient()
    client.force_login(viewer("reader"))
    assert client.post("/process").status_code == 403
    assert client.get("/process").status_code == 405
    assert not ProcessingRun.objects.exists()


def test_a_session_needs_the_csrf_token(operator):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(operator)
    response = client.post("/process")
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]
    assert not ProcessingRun.objects.exists()


def test_a_body_that_is_too_long_is_refused_for_tokens_as_well(operator):
    token = token_of(operator)
    client = APIClient(headers={"authorization": f"Token {token}"})
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        response = client.post("/process", b"x" * 3_000_000, content_type=kind)
        assert response.status_code == 400
        assert response.json()["detail"] == "The request is too large."
