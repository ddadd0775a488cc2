"""What may be done to all records that a filter finds."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from explore.explorer import bulk_actions
from records.models import DataRecord
from records.store import check_counts
from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> None:
    land("shop", {"1": sale(1), "2": {"id": "2"}, "3": sale(3)})
    land("depot", {"1": sale(4)})
    process_all()


def statuses() -> dict[str, str]:
    return dict(DataRecord.objects.values_list("id", "status"))


def user_who_may(*codenames: str) -> Client:
    user = viewer("ada")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_it_is_asked_before_anything_is_done(admin_client, shop):
    page = admin_client.get("/explore/do/delete?source=shop&status=processed").content.decode()
    assert "2 records" in page
    assert "shop:1" in page
    assert "depot:1" not in page
    url = "/explore/do/delete?source=shop"
    assert admin_client.post(url)["Location"] == url
    assert len(statuses()) == 4


def test_records_of_the_filter_are_deleted(admin_client, shop):
    url = "/explore/do/delete?source=shop&status=processed&sort=-id"
    answer = admin_client.post(url, {"sure": "yes"}, follow=True)
    assert answer.redirect_chain[0][0] == "/explore/?source=shop&status=processed&sort=-id"
    assert "2 records are deleted." in answer.content.decode()
    assert set(statuses()) == {"shop:2", "depot:1"}
    assert check_counts() == []


def test_records_of_the_filter_are_processed_again(admin_client, shop):
    answer = admin_client.post("/explore/do/reprocess?q=shop", {"sure": "yes"}, follow=True)
    assert "3 records are queued for reprocessing." in answer.content.decode()
    assert statuses() == {
        "shop:1": "raw", "shop:2": "raw", "shop:3": "raw", "depot:1": "processed",
    }  # fmt: skip
    assert check_counts() == []
    assert (
        "No matching records" in admin_client.get("/explore/do/reprocess?q=shop").content.decode()
    )


def test_a_filter_on_what_the_action_changes_is_carried_out_to_its_end(admin_client, monkeypatch):
    monkeypatch.setattr(bulk_actions, "CHUNK", 2)
    land("shop", {str(n): {"id": str(n)} for n in range(7)})
    process_all()
    admin_client.post("/explore/do/reprocess?status=failed&rule=required", {"sure": "yes"})
    assert set(statuses().values()) == {"raw"}


def test_of_very_many_records_the_first_are_taken(admin_client, shop, monkeypatch):
    monkeypatch.setattr(bulk_actions, "MOST", 2)
    page = admin_client.get("/explore/do/delete?source=shop").content.decode()
    assert "First 2 of more than 2 records" in page
    answer = admin_client.post("/explore/do/delete?source=shop", {"sure": "yes"}, follow=True)
    assert "2 records are deleted. More records match" in answer.content.decode()
    answer = admin_client.post("/explore/do/delete?source=shop", {"sure": "yes"}, follow=True)
    assert "1 record is deleted." in answer.content.decode()
    assert set(statuses()) == {"depot:1"}


def test_who_may_do_it(shop):
    may_change = user_who_may("reprocess_datarecord")
    assert may_change.get("/explore/do/reprocess?source=shop").status_code == 200
    answer = may_change.post("/explore/do/delete?source=shop", {"sure": "yes"})
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.content.decode()
    assert len(statuses()) == 4
    html = may_change.get("/explore/?source=shop").content.decode()
    assert re.findall(r'href="(/explore/do/[^"]+)"', html) == ["/explore/do/reprocess?source=shop"]


def test_a_reader_is_offered_nothing(client, shop):
    client.force_login(viewer("reader"))
    assert "/explore/do/" not in client.get("/explore/").content.decode()
    assert client.get("/explore/do/delete").status_code == 403


def test_what_means_nothing_is_refused(admin_client, client, shop):
    assert admin_client.get("/explore/do/burn").status_code == 404
    assert admin_client.post("/explore/do/delete?status=x", {"sure": "yes"}).status_code == 400
    assert admin_client.post("/explore/do/delete?where=x", {"sure": "yes"}).status_code == 400
    misspelled = admin_client.post("/explore/do/delete?sorce=shop", {"sure": "yes"})
    assert "There is no filter “sorce”." in misspelled.content.decode()
    assert len(statuses()) == 4
    assert client.get("/explore/do/delete").status_code == 302


def test_without_a_filter_it_warns(admin_client, shop):
    assert "the records of all sources" in admin_client.get("/explore/do/delete").content.decode()
