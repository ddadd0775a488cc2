"""Answers while the column store is behind the database, or has lost a file."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.http import QueryDict
from rest_framework.test import APIClient

from explore.columns import folding, snapshot
from explore.filters import RecordQuery
from explore.questions.answer import NoAnswer, answer
from explore.questions.question import Question
from records.models import ColumnChange, IngestionRun
from tests.landed import land

pytestmark = pytest.mark.usefixtures("column_folder")


@pytest.fixture
def shop(db, column_folder, monkeypatch):
    """A source of four records, of which two are counted."""
    land("shop", {"1": {"id": "1", "city": "Wien"}, "2": {"id": "2", "city": "Graz"}})
    folding.fold(sources=["shop"])
    monkeypatch.setattr(snapshot, "MOST_CHANGED", 1)
    land("shop", {"3": {"id": "3", "city": "Wien"}, "4": {"id": "4", "city": "Linz"}})


@pytest.fixture
def depot(db, monkeypatch):
    """A source of two records, of which none is counted."""
    land("depot", {"1": {"id": "1"}, "2": {"id": "2"}})
    monkeypatch.setattr(snapshot, "MOST_CHANGED", 1)


def test_an_answer_says_which_sources_are_counted_as_of_an_earlier_moment(shop, depot):
    run = IngestionRun.objects.filter(source__name="shop").earliest("pk").pk

    found = answer(Question(), RecordQuery())

    assert found.total.records == 2
    new, known = (remark for remark in found.remarks if remark.kind == "behind")
    assert new.text == "depot: none of its records is counted yet. Ask again in a few minutes."
    assert re.fullmatch(
        r"shop: counted as of \S+ \S+ UTC, after ingestion run \d+\. "
        r"2 changes since then are not counted yet\. Ask again in a few minutes\.",
        known.text,
    )
    assert known.count == 2
    assert known.url == f"/runs/ingestion/{run}/"


def test_a_search_that_only_the_database_can_carry_out_is_not_mixed_with_earlier_records(shop):
    query = RecordQuery.parse(QueryDict("q=wien"))
    with pytest.raises(NoAnswer, match="searches the database"):
        answer(Question(), query)


def test_the_command_counts_everything_however_much_has_changed(shop, depot):
    out = StringIO()
    call_command("ask", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["records"] == 6


def test_the_command_says_beside_json_what_the_answer_rests_on(db):
    land("till", {"1": {"id": "1", "Total": "n/a"}, "2": {"id": "2", "Total": "7"}})
    out, err = StringIO(), StringIO()
    call_command("ask", "--measure=sum:Total", "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue())["measures"] == [7.0]
    assert "1 cell of “Total” is not a number and is left out." in err.getvalue()


def test_csv_which_has_no_room_for_a_remark_is_refused(shop, admin_user):
    client = APIClient()
    client.force_authenticate(admin_user)
    found = client.get("/api/v1/questions/answer?format=csv")
    assert found.status_code == 503
    assert "2 changes since then are not counted yet" in found.json()["detail"]
    assert client.get("/api/v1/questions/answer").json()["total"]["records"] == 2


def test_the_page_of_a_source_that_is_not_counted_yet_says_so(depot, admin_client):
    page = admin_client.get("/questions/?source=depot").content.decode()
    assert "depot: none of its records is counted yet." in page


@pytest.mark.django_db(transaction=True)
def test_a_lost_file_costs_no_answer_and_is_made_again(column_folder):
    land("shop", {"1": {"id": "1"}, "2": {"id": "2"}})
    folding.fold()
    for path in column_folder.glob("*.parquet"):
        path.unlink()
    for _ in range(2):
        assert answer(Question(), RecordQuery()).total.records == 2
    assert ColumnChange.objects.count() == 1
    folding.fold()
    assert list(column_folder.glob("*.parquet"))
    assert not ColumnChange.objects.exists()
