"""`GET /api/v1/questions/answer`: the same figures as everywhere, and clear errors."""

import csv
import io

import pytest
from rest_framework.test import APIClient

from accounts.models import SourceGrant
from explore.questions.answer import NoAnswer
from records.models import Source
from tests.landed import land
from tests.people import viewer

pytestmark = pytest.mark.django_db

URL = "/api/v1/questions/answer"


@pytest.fixture
def api(db) -> APIClient:
    cells = [("North", "0.1"), ("=1+1", "5"), ("North", "0.2"), ("", "n/a")]
    rows = {
        str(n): {"id": str(n), "Region": region, "Total": total}
        for n, (region, total) in enumerate(cells)
    }
    land("shop", rows)
    land("depot", {"1": {"id": "1", "Region": "North", "Total": "7"}})
    Source.objects.update(columns=["id", "Region", "Total"])
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def test_an_answer_has_groups_totals_and_links(api):
    found = api.get(f"{URL}?source=shop&measure=sum:Total&measure=count&by=Region").json()
    assert found["title"] == "Sum of Total and Records by Region"
    assert [(row["by"], row["measures"], row["records"]) for row in found["rows"]] == [
        (["=1+1"], [5.0, 1.0], 1),
        (["North"], [0.3, 2.0], 2),
        ([""], [None, 1.0], 1),
    ]
    assert found["total"]["measures"] == [5.3, 4.0]
    for row in [*found["rows"], found["total"], *found["remarks"]]:
        listed = api.get(row["url"].replace("/explore/", "/api/v1/records")).json()
        assert len(listed["records"]) == row.get("records", row.get("count"))
    assert [(remark["kind"], remark["count"]) for remark in found["remarks"]] == [("not_number", 1)]
    assert found["as_of"]


def test_two_groups_have_totals_of_each(api):
    found = api.get(f"{URL}?measure=sum:Total&by=Region&by=record:source").json()
    assert [row["measures"] for row in found["second_totals"]] == [[7.0], [5.3]]
    assert sum(row["records"] for row in found["first_totals"]) == found["total"]["records"] == 5


def test_csv_has_the_same_figures(api):
    answer = api.get(f"{URL}?source=shop&measure=sum:Total&by=Region&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.content.decode(), newline=""))) == [
        ["Region", "Sum of Total", "Records"],
        ["'=1+1", "5.0", "1"],
        ["North", "0.3", "2"],
        ["", "", "1"],
    ]


def test_only_sources_that_may_be_seen_are_counted(api):
    person = viewer("limited")
    SourceGrant.objects.create(user=person, source=Source.objects.get(name="depot"))
    api.force_login(person)
    found = api.get(f"{URL}?by=record:source").json()
    assert [row["by"] for row in found["rows"]] == [["depot"]]
    hidden = api.get(f"{URL}?source=shop&measure=sum:Total")
    assert hidden.status_code == 400
    assert "Did you mean" not in hidden.json()["detail"]


def test_without_an_account_there_is_no_answer(api):
    api.logout()
    assert api.get(URL).status_code in (401, 403)


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("measure=sum:Totl&source=shop", "measure", "shop has no column “Totl”. Did you mean"),
        ("by=Rgion", "by", "No source has a column “Rgion”. Did you mean “Region”?"),
        ("by=a&by=b&by=c", "by", "Give at most 2."),
        ("top=x", "top", "Must be a whole number"),
        ("where=Totl:gt:1&source=shop", "where", "shop has no column “Totl”."),
        ("format=xml", "format", "Choose one of json, csv."),
        ("sort=id", "sort", "Unknown parameter."),
        ("mesure=count", "mesure", "Unknown parameter."),
    ],
)
def test_what_is_wrong_is_said(api, query, name, sentence):
    answer = api.get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["errors"][name][0]


def test_a_question_that_takes_too_long_is_answered_so(api, monkeypatch):
    def stopped(*args: object) -> None:
        raise NoAnswer("The question was stopped.")

    monkeypatch.setattr("explore.api.questions.answer", stopped)
    answer = api.get(URL)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The question was stopped."
