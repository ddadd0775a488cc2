"""Version 1 of the API beside the older URLs, and its errors: problem details (RFC 9457)."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.landed import land, sale
from tests.people import viewer
from web.api.problems import CATALOGUE

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def reader() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def problem_of(answer, *, status, code):
    """The problem that an answer is, which says the same in its status, its type and its code."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["code"] == code
    assert said["type"] == f"/api/v1/problems/{code}"
    assert said["title"] == CATALOGUE[code].title
    assert said["detail"].strip()
    return said


@pytest.mark.parametrize("path", ["health", "stats", "records", "records/facets", "export"])
def test_what_the_short_urls_answer_version_1_answers_too(api, path):
    land("shop", {"1": sale(1)})
    answers = []
    for prefix in ("/", "/api/", "/api/v1/"):
        answer = api.get(prefix + path)
        content = answer.getvalue()
        # The health tells the time.
        said = content if path != "health" else answer.json()["details"]
        answers.append((answer.status_code, answer["Content-Type"], said))
    assert answers == answers[:1] * 3


def test_links_stay_in_the_version_that_was_asked(api):
    run = land("shop", {"1": sale(1), "2": sale(2)})
    assert api.get("/api/").json()["records"] == "http://testserver/api/records"
    assert api.get("/api/v1/").json()["records"] == "http://testserver/api/v1/records"
    for name, url in api.get("/api/v1/").json().items():
        # Without a statement there is nothing to run.
        expected = (400,) if name == "sql" else (200, 405, 503)
        assert api.get(url).status_code in expected, url
    first = api.get("/api/v1/records?limit=1").json()
    assert first["next"].startswith("http://testserver/api/v1/records?")
    url = f"/api/v1/runs/ingestion/{run.pk}"
    assert api.get(url).json()["url"] == f"http://testserver{url}"


def test_lists_link_to_the_pages_beside_each(api):
    land("shop", {str(n): sale(n) for n in range(3)})
    first = api.get("/api/v1/records?limit=1")
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    second = api.get(first.json()["next"])
    before, after = second["Link"].split(", ")[::-1]
    assert before.endswith('; rel="prev"')
    assert after == f'<{second.json()["next"]}>; rel="next"'
    back = api.get(before.split(">")[0].removeprefix("<"))
    assert back.json()["records"] == first.json()["records"]


def test_what_a_client_has_already_is_not_sent_again(api):
    run = land("shop", {"1": sale(1)})
    for path in ("records", "records/shop:1", "stats", f"runs/ingestion/{run.pk}", "sources/shop"):
        first = api.get(f"/api/v1/{path}")
        again = api.get(f"/api/v1/{path}", headers={"if-none-match": first["ETag"]})
        assert again.status_code == 304, path
        assert not again.content
        assert again["ETag"] == first["ETag"]
    first = api.get("/api/v1/records")
    land("shop", {"2": sale(2)})
    changed = api.get("/api/v1/records", headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_a_wrong_parameter_is_a_problem_that_names_it(api):
    said = problem_of(api.get("/api/v1/records?limit=0&x=1"), status=400, code="invalid")
    assert set(said["errors"]) == {"x"}
    said = problem_of(api.get("/api/v1/records?limit=0"), status=400, code="invalid")
    assert set(said["errors"]) == {"limit"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"source": "a', b"[1,]"])
def test_a_body_that_can_not_be_read_is_a_problem(api, body):
    answer = api.post("/api/v1/process", body, content_type="application/json")
    problem_of(answer, status=400, code="parse_error")


def test_a_body_of_another_kind_is_a_problem(api):
    answer = api.post("/api/v1/process", b"x", content_type="text/csv")
    problem_of(answer, status=415, code="unsupported_media_type")


def test_other_methods_are_a_problem_that_lists_those_that_are_allowed(api):
    answer = api.put("/api/v1/records")
    problem_of(answer, status=405, code="method_not_allowed")
    assert "GET" in answer["Allow"]


def test_a_method_that_is_not_allowed_is_so_whatever_its_parameters_are(api):
    answer = api.generic("TRACE", "/api/v1/records?close_many=0&x=")
    problem_of(answer, status=405, code="method_not_allowed")


def test_requests_without_credentials_or_with_wrong_ones_are_problems():
    nobody = APIClient()
    answer = nobody.get("/api/v1/records")
    problem_of(answer, status=401, code="not_authenticated")
    assert answer["WWW-Authenticate"] == "Token, Bearer"
    wrong = nobody.get("/api/v1/records", headers={"authorization": "Token " + "0" * 64})
    problem_of(wrong, status=401, code="authentication_failed")


def test_a_missing_permission_is_a_problem_that_names_it(reader):
    said = problem_of(reader.post("/api/v1/process"), status=403, code="permission_denied")
    assert "Can add processing run" in said["detail"]


@pytest.mark.parametrize(
    "path", ["records/shop:9", "runs/ingestion/99", "runs/x/1", "sources/nope/rules", "exports/9"]
)
def test_what_does_not_exist_is_a_problem(api, path):
    problem_of(api.get(f"/api/v1/{path}"), status=404, code="not_found")


@pytest.mark.parametrize(
    "path", ["/api/x", "/api/v1/x", "/api/v2/records", "/api/runs/x", "/api/%00"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_url_of_the_api_is_a_problem_for_everyone(method, path):
    problem_of(getattr(APIClient(), method)(path), status=404, code="not_found")


def test_a_fault_of_the_server_is_a_problem_that_tells_nothing(api, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("explore.api.views.record_counts.by_source", fail)
    answer = api.get("/api/v1/stats")
    problem_of(answer, status=500, code="error")
    assert b"secret detail" not in answer.content


def test_the_catalogue_says_what_each_problem_means():
    nobody = APIClient()
    listed = nobody.get("/api/v1/problems").json()["problems"]
    assert [each["code"] for each in listed] == list(CATALOGUE)
    for each in listed:
        assert nobody.get(f"/api/v1/problems/{each['code']}").json() == each
    problem_of(nobody.get("/api/v1/problems/nope"), status=404, code="not_found")


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_older_urls_keep_the_errors_that_their_clients_know(api, prefix):
    wrong = api.get(f"{prefix}/records?limit=0")
    assert wrong["Content-Type"] == "application/json"
    assert set(wrong.json()) == {"detail", "errors"}
    missing = api.get(f"{prefix}/records/shop:9")
    assert missing.json() == {"detail": "Record not found"}


def test_people_see_problems_as_pages(api):
    page = api.get("/api/v1/records?limit=0", headers={"accept": "text/html"})
    assert page.status_code == 400
    assert page["Content-Type"].startswith("text/html")
