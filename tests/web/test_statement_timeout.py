"""Questions that would keep the database busy for long are given up, and who asked is told."""

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from explore.pages import explorer
from tests.landed import land, process_all, sale
from tests.people import viewer
from web import statement_timeout
from web.statement_timeout import TookTooLong, at_most

pytestmark = pytest.mark.django_db

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def ask(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def test_a_query_that_takes_too_long_is_given_up_and_the_next_one_is_answered():
    with (
        pytest.raises(TookTooLong, match=r"stopped after 0\.2 seconds"),
        at_most(0.2),
    ):
        ask(ENDLESS)
    assert ask("SELECT 1") == [(1,)]
    with at_most(5):
        assert ask("SELECT 2") == [(2,)]


def test_other_errors_stay_what_they_are():
    with pytest.raises(OperationalError, match="no"), at_most(5):
        raise OperationalError("no connection")


@pytest.fixture
def slow(monkeypatch):
    """A database that is slow to answer for lists."""
    land("shop", {"1": sale(1)})
    process_all()

    def page_of(*args: object, **kwargs: object) -> None:
        ask(ENDLESS)

    monkeypatch.setattr(explorer, "page_of_records", page_of)
    monkeypatch.setattr("explore.api.pagination.page_of_records", page_of)
    monkeypatch.setattr(explorer, "LIST_SECONDS", 0.1)
    monkeypatch.setattr("web.api.pagination.LIST_SECONDS", 0.1)


def test_the_page_says_so_and_keeps_its_filter(slow, admin_client):
    answer = admin_client.get("/explore/?q=needle&source=shop")
    assert answer.status_code == 503
    html = answer.content.decode()
    assert "The query was stopped after" in html
    assert 'value="needle"' in html
    assert 'role="alert"' in html


def test_the_api_says_so(slow):
    client = APIClient()
    client.force_login(viewer("reader"))
    answer = client.get("/api/records?q=needle")
    assert answer.status_code == 503
    assert "The query was stopped after" in answer.json()["detail"]


def test_facets_without_counts_stay(admin_client, monkeypatch):
    land("shop", {"1": sale(1)})
    monkeypatch.setattr(explorer, "all_facets", lambda *args, **kwargs: ask(ENDLESS))
    monkeypatch.setattr(explorer, "ASIDE_SECONDS", 0.1)
    html = admin_client.get("/explore/?facets=1").content.decode()
    assert "Counting these records takes too long." in html
    assert 'name="source" value="shop"' in html


def test_people_do_not_wait_for_ever():
    assert statement_timeout.ASIDE_SECONDS < statement_timeout.LIST_SECONDS <= 30
