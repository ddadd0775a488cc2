"""The page of questions: a form without JavaScript, and an answer whose numbers lead to records."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from records.database.bulk import is_postgresql
from records.models import Source
from tests.landed import land
from tests.markup import sent_by, texts, tree
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db) -> Client:
    for month in range(1, 7):
        rows = {
            f"{month}-{n}": {"id": f"{month}-{n}", "Region": region, "Total": f"{month}{n}.10"}
            for n, region in enumerate(["North", "South", "<i>"])
        }
        land("shop", rows, timestamp=datetime(2026, month, 3, tzinfo=UTC))
    land("depot", {"1": {"id": "1", "Item": "Nail"}})
    Source.objects.filter(name="shop").update(columns=["id", "Region", "Total"])
    client = Client()
    client.force_login(viewer("reader"))
    return client


def test_the_page_opens_with_a_good_answer_for_the_largest_source(client):
    page = client.get("/questions/").content.decode()
    assert texts(page, "#answer-title") == ["Sum of Total by Month and Region"]
    assert sent_by(tree(page).select("form[aria-label=Question]")[0])["source"] == ["shop"]
    assert len(texts(page, "ul[aria-label='Other questions'] a")) >= 3


def test_each_number_of_a_pivot_leads_to_its_records(client):
    page = client.get("/questions/?source=shop&by=Region&by=month").content.decode()
    links = tree(page).select("table a")
    # Three regions and a total, by six months and a total.
    assert len(links) == 4 * 7
    for link in links:
        listed = client.get(str(link["href"])).content.decode()
        assert len(texts(listed, "th.key a")) == int(link.get_text())


def test_the_form_sends_what_it_shows(client):
    url = (
        "/questions/?source=shop&measure=mean:Total&measure=count&by=Region&top=2&where=Total:gt:1"
    )
    form = tree(client.get(url).content.decode()).select("form[aria-label=Question]")[0]
    answer = client.get("/questions/", sent_by(form))
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert texts(page, "#answer-title") == ["Mean of Total and Records by Region"]
    assert texts(page, "tbody th")[:3] == ["<i>", "South", "(others)"]
    sent = sent_by(tree(page).select("form[aria-label=Question]")[0])
    assert sent == sent_by(form)
    assert sent["where"] == ["Total:gt:1"]


def test_without_groups_there_is_a_number(client):
    page = client.get("/questions/?source=shop&measure=sum:Total&measure=share").content.decode()
    assert texts(page, ".tile dd a") == ["649.8", "100%"]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("source=shop&by=Rgion", 400, "shop has no column “Rgion”. Did you mean “Region”?"),
        ("measure=total:x", 400, "There is no measure “total”."),
        ("time_from=yesterday", 400, "Enter a date such as 2026-03-01"),
        ("colour=red", 400, "There is no filter “colour”."),
        ("source=shop&time_from=2027-01-01&measure=count", 200, "No records match"),
    ],
)
def test_what_is_wrong_is_said(client, query, status, sentence):
    answer = client.get(f"/questions/?{query}")
    assert answer.status_code == status
    assert sentence in answer.content.decode()


def test_texts_of_files_are_shown_as_text(client):
    page = client.get("/questions/?source=shop&by=Region").content.decode()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page


def test_the_navigation_leads_to_the_page(client):
    page = tree(client.get("/questions/").content.decode())
    links = page.select("nav.nav a[aria-current=page]")
    assert [str(link["href"]) for link in links] == ["/questions/"]


@pytest.mark.parametrize("query", ["", "source=shop&by=Region&by=month", "by=record:source"])
def test_the_page_makes_few_queries(client, query, django_assert_max_num_queries):
    with django_assert_max_num_queries(28 if is_postgresql() else 25):
        assert client.get(f"/questions/?{query}").status_code == 200


def test_without_records_the_page_says_so(db):
    client = Client()
    client.force_login(viewer("nobody"))
    answer = client.get("/questions/")
    assert answer.status_code == 200
    assert "No records match" in answer.content.decode()
