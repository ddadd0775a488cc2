"""Saved questions and dashboards by API."""

import pytest
from rest_framework.test import APIClient

from accounts.grants import set_limit
from records.models import Dashboard, SavedQuestion
from tests.explore.saved.conftest import BY_REGION

pytestmark = pytest.mark.django_db

QUESTIONS, DASHBOARDS = "/api/v1/saved-questions", "/api/v1/dashboards"


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def api(ada) -> APIClient:
    return client_of(ada)


def save(client, **fields):
    body = {"name": "Regions", "query": BY_REGION, "audience": "everybody"} | fields
    return client.post(QUESTIONS, body, format="json")


def test_a_question_is_saved_read_changed_and_deleted(api):
    made = save(api)
    assert made.status_code == 201
    url = made["Location"]
    assert api.get(url).json() == made.json()
    assert (made.json()["owner"], made.json()["audience"]) == ("ada", "everybody")
    changed = api.patch(url, {"name": "Areas", "query": "by=Region"}, format="json").json()
    assert (changed["name"], changed["query"]) == ("Areas", "measure=count&by=Region")
    assert changed["audience"] == "everybody"
    listed = api.get(QUESTIONS).json()
    assert ([each["name"] for each in listed["saved_questions"]], listed["count"]) == (["Areas"], 1)
    assert api.get(changed["page"]).status_code == 200
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_the_answer_is_that_of_its_query(api):
    made = save(api).json()
    found, asked = api.get(made["answer"]), api.get(f"/api/v1/questions/answer?{BY_REGION}")
    assert found.status_code == 200
    found, asked = found.json(), asked.json()
    assert found.pop("as_of") < asked.pop("as_of")
    assert found == asked
    assert found["total"]["measures"] == [189.9]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"query": "measure=total"}, "query"),
        ({"query": "colour=red"}, "query"),
        ({"audience": "group:7777"}, "audience"),
        ({"owner": "bob"}, "owner"),
    ],
)
def test_a_question_that_can_not_be_is_refused(api, fields, field):
    answer = save(api, **fields)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not SavedQuestion.objects.exists()


def test_a_question_that_no_longer_fits_its_source_is_refused(api):
    made = save(api, query="source=shop&by=Gone").json()
    assert api.get(made["answer"]).status_code == 400


def test_limits_are_conflicts(api, monkeypatch):
    monkeypatch.setattr("explore.saved.questions.MOST", 1)
    monkeypatch.setattr("explore.saved.dashboards.MOST", 0)
    assert save(api).status_code == 201
    assert save(api, name="b").status_code == 409
    assert api.post(DASHBOARDS, {"name": "a"}, format="json").status_code == 409


def test_others_read_what_is_shared_and_change_nothing(api, bob):
    shared, private = save(api)["Location"], save(api, name="b", audience="private")["Location"]
    board = api.post(DASHBOARDS, {"name": "a", "audience": "everybody"}, format="json")["Location"]
    other = client_of(bob)
    assert other.get(shared).status_code == other.get(board).status_code == 200
    assert other.get(private).status_code == other.get(f"{private}/answer").status_code == 404
    for url in (shared, board):
        assert other.patch(url, {"name": "x"}, format="json").status_code == 404
        assert other.delete(url).status_code == 404
    set_limit(sources=["depot"], user=bob)
    assert other.get(shared).status_code == other.get(f"{shared}/answer").status_code == 404
    assert other.get(QUESTIONS).json()["count"] == 0


def test_nothing_is_shown_or_made_without_an_account(api):
    url = save(api)["Location"]
    stranger = APIClient()
    for path in (QUESTIONS, url, f"{url}/answer", DASHBOARDS):
        assert stranger.get(path).status_code == 401
    assert save(stranger).status_code == 401


def test_a_dashboard_is_created_read_changed_and_deleted(api):
    question = save(api).json()["id"]
    tiles = [{"question": question, "width": 2}, {"text": "Read this"}]
    body = {"name": "Sales", "tiles": tiles, "query": "time_from=2026-02-01"}
    made = api.post(DASHBOARDS, body, format="json")
    assert made.status_code == 201
    url = made["Location"]
    assert api.get(url).json() == made.json()
    assert made.json()["tiles"] == [tiles[0], {**tiles[1], "width": 3}]
    assert (made.json()["audience"], made.json()["owner"]) == ("private", "ada")
    changed = api.patch(url, {"tiles": tiles[1:], "query": ""}, format="json").json()
    assert (len(changed["tiles"]), changed["query"], changed["name"]) == (1, "", "Sales")
    assert api.get(changed["page"]).status_code == 200
    assert [each["name"] for each in api.get(DASHBOARDS).json()["dashboards"]] == ["Sales"]
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"query": "colour=red"}, "query"),
        ({"query": "time_from=soon"}, "query"),
        ({"tiles": [{"width": 1}]}, "tiles"),
        ({"tiles": [{"question": 1, "text": "x"}]}, "tiles"),
        ({"tiles": [{"text": "x", "width": 4}]}, "tiles"),
        ({"tiles": [{"text": " "}]}, "tiles"),
        ({"tiles": [{"question": 8888}]}, "tiles"),
        ({"tiles": [{"text": "x"}] * 25}, "tiles"),
        ({"tiles": "x"}, "tiles"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_dashboard_that_can_not_be_is_refused(api, fields, field):
    answer = api.post(DASHBOARDS, {"name": "Sales"} | fields, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not Dashboard.objects.exists()
