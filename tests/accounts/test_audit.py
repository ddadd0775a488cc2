"""Each action leaves exactly one entry, which says who did what to what, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, TokenScope
from accounts.tokens.manage import create_token, revoke
from explore.explorer import bulk_actions
from ingestion.feeds import services as feeds
from ingestion.loading import drafts, previews, replay
from processing.jobs import process
from processing.number_format import set_format
from processing.rule_sets import rule_set_for
from records import store
from records.jobs import waiting
from records.jobs.runner import work_on
from records.models import (
    Dashboard,
    DataRecord,
    Export,
    Feed,
    IngestionRun,
    RejectedRow,
    SavedQuestion,
    SavedView,
    ShareLink,
    Source,
)
from tests import factories
from tests.landed import land, sale

pytestmark = pytest.mark.django_db

PASSWORD = "a long password"


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def page(ada: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(ada)
    return client


@pytest.fixture
def news(ada: User, page: Client) -> "News":
    return News()


class News:
    """The entries since this was made or asked last."""

    def __init__(self) -> None:
        self.seen = AuditEntry.objects.count()

    def __call__(self) -> list[AuditEntry]:
        found = list(AuditEntry.objects.filter(number__gt=self.seen))
        self.seen += len(found)
        return found

    def one(self) -> AuditEntry:
        (entry,) = self()
        return entry


def said(text: str) -> Any:
    return json.loads(text) if text else None


def told(entry: AuditEntry) -> tuple[str, str, str, str]:
    return entry.action, entry.object_kind, entry.object_id, entry.source


# --- sign-in -------------------------------------------------------------------------------------


def test_a_sign_in_and_a_sign_out_tell_who_from_where_and_by_which_request(ada):
    client, news = Client(REMOTE_ADDR="203.0.113.7"), News()
    client.post("/login/", {"username": "ada", "password": PASSWORD})
    entry = news.one()
    assert told(entry) == ("sign_in", "person", str(ada.pk), "")
    assert (entry.by, entry.user_id, entry.user_name) == ("person", ada.pk, "ada")
    assert (entry.address, entry.request) == ("203.0.113.7", "POST /login/")
    assert len(entry.request_id) == 16
    client.post("/logout/")
    entry = news.one()
    assert told(entry) == ("sign_out", "person", str(ada.pk), "")
    assert (entry.by, entry.user_name) == ("person", "ada")


@pytest.mark.parametrize("name", ["ada", "nobody", "a\nb\r\nc", "x" * 5_000, "n\0ul", "\u202eada"])
def test_a_failed_sign_in_is_one_entry_of_one_line_without_the_password(ada, name):
    news = News()
    Client().post("/login/", {"username": name, "password": "not this one"})
    for entry in news():
        assert told(entry) == ("sign_in.failed", "person", "", "")
        assert (entry.by, entry.user_id) == ("nobody", None)
        assert len(entry.user_name.splitlines()) == 1
        assert len(entry.user_name) <= 200
        assert entry.user_name.isprintable()
        assert "not this one" not in str(vars(entry))


def test_a_forwarded_address_counts_from_trusted_proxies_only(ada, settings):
    news = News()
    client = Client(REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
    client.post("/login/", {"username": "ada", "password": "no"})
    assert news.one().address == "203.0.113.7"
    settings.TRUSTED_PROXIES = 1
    client.post("/login/", {"username": "ada", "password": "no"})
    assert news.one().address == "198.51.100.1"


# --- people, roles, tokens -----------------------------------------------------------------------


def test_adding_changing_and_deleting_a_person_show_what_changed(ada):
    news = News()
    eve = User.objects.create_user("eve", email="eve@example.org", password="secret words")
    entry = news.one()
    assert told(entry) == ("person.created", "person", str(eve.pk), "")
    assert said(entry.after)["email"] == "eve@example.org"
    eve.is_staff = True
    eve.save()
    entry = news.one()
    assert entry.action == "person.changed"
    assert (said(entry.before), said(entry.after)) == ({"is_staff": False}, {"is_staff": True})
    eve.save()
    assert not news()
    number = eve.pk
    eve.delete()
    entry = news.one()
    assert told(entry) == ("person.deleted", "person", str(number), "")
    assert entry.object_label == "eve"


def test_a_changed_password_is_an_entry_and_a_new_hash_of_the_same_one_is_none(ada, settings):
    news = News()
    ada.set_password("another long password")
    ada.save()
    entry = news.one()
    assert told(entry) == ("password.changed", "person", str(ada.pk), "")
    assert (entry.before, entry.after) == ("", "")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    Client().post("/login/", {"username": "ada", "password": "another long password"})
    assert User.objects.get(pk=ada.pk).password.startswith("pbkdf2")
    assert [entry.action for entry in news()] == ["sign_in"]


def test_the_password_page_of_the_administration_leaves_one_entry(page, ada, news):
    form = {"usable_password": "true", "password1": "other words 1", "password2": "other words 1"}
    page.post(reverse("admin:auth_user_password_change", args=[ada.pk]), form)
    entry = news.one()
    assert told(entry) == ("password.changed", "person", str(ada.pk), "")
    assert entry.user_name == "ada"


def test_roles_and_permissions_that_are_given_and_taken_are_entries(ada):
    news = News()
    clerk, editor = Group.objects.create(name="clerk"), Group.objects.create(name="proof-reader")
    assert [entry.action for entry in news()] == ["role.created", "role.created"]
    ada.groups.set([clerk])
    entry = news.one()
    assert told(entry) == ("role.given", "person", str(ada.pk), "")
    assert (said(entry.before), said(entry.after)) == (None, {"roles": ["clerk"]})
    ada.groups.set([editor])
    taken, given = news()
    assert (taken.action, said(taken.before)) == ("role.taken", {"roles": ["clerk"]})
    assert (given.action, said(given.after)) == ("role.given", {"roles": ["proof-reader"]})
    ada.groups.clear()
    assert said(news.one().before) == {"roles": ["proof-reader"]}
    clerk.user_set.add(ada)
    entry = news.one()
    assert told(entry) == ("role.given", "person", str(ada.pk), "")
    assert said(entry.after) == {"roles": ["clerk"]}
    clerk.user_set.clear()
    assert told(news.one())[:3] == ("role.taken", "person", str(ada.pk))
    permission = Permission.objects.get(codename="add_ingestionrun")
    clerk.permissions.add(permission)
    entry = news.one()
    assert told(entry) == ("permission.given", "role", str(clerk.pk), "")
    assert said(entry.after) == {"permissions": [str(permission)]}
    ada.user_permissions.add(permission)
    assert told(news.one())[:3] == ("permission.given", "person", str(ada.pk))
    clerk.delete()
    assert news.one().action == "role.deleted"


def test_a_token_is_told_by_its_public_part(ada):
    news = News()
    token, secret = create_token(owner=ada, name="nightly", scope=TokenScope.WRITE)
    assert told(news.one()) == ("token.created", "API token", str(token.pk), "")
    Client(headers={"Authorization": f"Token {secret}"}).post(
        "/api/process", {}, content_type="application/json"
    )
    entry = news.one()
    assert (entry.action, entry.user_name) == ("processing.started", "ada")
    assert entry.token == token.prefix
    revoke(token)
    assert told(news.one()) == ("token.revoked", "API token", str(token.pk), "")
    for entry in AuditEntry.objects.all():
        assert secret not in str(vars(entry))
        assert secret.rpartition("_")[2] not in str(vars(entry))
        assert token.digest not in str(vars(entry))


def test_what_is_deleted_with_a_person_has_no_entry_of_its_own(ada):
    create_token(owner=ada, name="nightly")
    SavedView.objects.create(user=ada, name="mine")
    news = News()
    ada.delete()
    assert news.one().action == "person.deleted"


# --- what comes in -------------------------------------------------------------------------------


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    file = tmp_path / "sales.csv"
    file.write_text("id,value\n1,2.5\n2,bad,extra\n3,7\n")
    return file


def test_an_upload_its_import_and_its_undo_are_entries(page, sales, news):
    with sales.open("rb") as file:
        page.post("/upload/", {"file": file, "source": "shop"})
    run = IngestionRun.objects.get()
    entry = news.one()
    assert told(entry) == ("import.uploaded", "ingestion run", str(run.pk), "shop")
    assert (entry.user_name, entry.object_label) == ("ada", "sales.csv")
    assert entry.request == "POST /upload/"
    drafts.load(run, previews.look(run))
    assert told(news.one()) == ("import.started", "ingestion run", str(run.pk), "shop")
    work_on(run, factories.WORKER)
    assert not news()
    page.post(reverse("undo-run", args=[run.pk]))
    assert told(news.one()) == ("import.undone", "ingestion run", str(run.pk), "shop")


def test_a_discarded_upload_is_an_entry(page, sales, news):
    with sales.open("rb") as file:
        page.post("/upload/", {"file": file, "source": "shop"})
    run = IngestionRun.objects.get()
    news()
    page.post(reverse("preview", args=[run.pk]), {"do": "discard"})
    assert told(news.one()) == ("import.discarded", "ingestion run", str(run.pk), "shop")


def test_another_key_for_stored_records_is_an_entry_with_both_keys(page, sales, news):
    factories.load(sales, "shop", id=["id"])
    with sales.open("rb") as file:
        page.post("/upload/", {"file": file, "source": "shop"})
    run = IngestionRun.objects.latest("pk")
    news()
    page.post(reverse("preview", args=[run.pk]), {"do": "rekey", "id": "value"})
    made = IngestionRun.objects.latest("pk")
    entry = news.one()
    assert told(entry) == ("rekey.started", "ingestion run", str(made.pk), "shop")
    assert (said(entry.before), said(entry.after)) == ({"id": ["id"]}, {"id": ["value"]})


def test_an_import_by_the_api_is_one_entry_and_shows_the_policy_that_it_sets(page, sales, news):
    with sales.open("rb") as file:
        page.post("/api/ingest", {"file": file, "source": "shop", "on_conflict": "keep"})
    entry = news.one()
    assert entry.action == "import.started"
    assert said(entry.before) == {"on_conflict": "update"}
    assert said(entry.after)["on_conflict"] == "keep"
    assert said(entry.after)["started by"] == "api"


def test_a_command_acts_as_the_user_of_the_system(news, sales, monkeypatch):
    monkeypatch.setattr("sys.argv", ["manage.py", "ingest", "--source", "shop"])
    monkeypatch.setenv("LOGNAME", "grace")
    factories.load(sales, "shop")
    entry = news.one()
    assert (entry.by, entry.user_id, entry.user_name) == ("command", None, "grace")
    assert (entry.request, entry.address) == ("manage.py ingest", "")


def test_repairing_and_replaying_a_rejected_row_are_an_entry_each(page, sales, news):
    run = factories.load(sales, "shop")
    row = RejectedRow.objects.get()
    news()
    page.post(reverse("rejected-row", args=[row.pk]), {"text": "2,9"})
    repaired, replayed = news()
    assert told(repaired) == ("rejected_row.repaired", "rejected row", str(row.pk), "shop")
    assert said(repaired.before) == {"text": "2,bad,extra\n"}
    assert said(repaired.after) == {"text": "2,9"}
    assert told(replayed) == ("rejected_rows.replayed", "ingestion run", str(run.pk), "shop")


def test_all_rows_of_a_run_are_replayed_with_one_entry(sales, news):
    run = factories.load(sales, "shop")
    news()
    replay.create_replay(run=run, trigger="test")
    assert told(news.one()) == ("rejected_rows.replayed", "ingestion run", str(run.pk), "shop")


def test_downloading_the_rejected_rows_is_an_entry(page, sales, news):
    run = factories.load(sales, "shop")
    news()
    page.head(reverse("rejected-csv", args=[run.pk]))
    assert not news()
    b"".join(page.get(reverse("rejected-csv", args=[run.pk])))
    assert told(news.one()) == ("rejected_rows.exported", "ingestion run", str(run.pk), "shop")


API = {"url": "https://api.example.org/rows?api_key=hush1&page=1", "headers": {"Accept": "a/b"}}
HEADERS = {"Authorization": "hush2"}


def test_saving_starting_and_removing_a_feed_are_entries_without_secrets(ada, news):
    feed = feeds.save_feed(source_name="shop", kind="http", config=API, secrets=HEADERS, user=ada)
    entry = news.one()
    assert told(entry) == ("feed.saved", "feed", str(feed.pk), "shop")
    assert said(entry.after)["stored headers"] == ["Authorization"]
    feeds.save_feed(source_name="shop", kind="http", config=API, schedule="0 6 * * *", user=ada)
    entry = news.one()
    assert (said(entry.before), said(entry.after)) == (
        {"schedule": ""},
        {"schedule": "0 6 * * *"},
    )
    feeds.save_feed(source_name="shop", kind="http", config=API, secrets={"Authorization": "hush3"})
    assert said(news.one().after)["entered headers"] == ["Authorization"]
    feed = Feed.objects.get()
    feeds.prepare(feed, trigger="page", user=ada)
    assert news.one().action == "import.started"
    feeds.prepare(feed, trigger="page", user=ada)
    assert not news()
    feeds.remove_feed(feed)
    assert [entry.action for entry in news()] == ["run.cancelled", "feed.removed"]
    for entry in AuditEntry.objects.all():
        assert "hush" not in str(vars(entry))


def test_an_import_on_schedule_is_that_of_a_worker(ada, news):
    feed = feeds.save_feed(source_name="shop", kind="http", config=API, user=ada)
    news()
    feeds.prepare(feed, trigger="schedule", user=ada)
    entry = news.one()
    assert (entry.by, entry.user_id, entry.user_name) == ("worker", None, "")


# --- what is changed -----------------------------------------------------------------------------


def test_an_edit_in_the_administration_is_one_entry_with_the_changed_cells(page, news):
    land("shop", {"1": sale(1)})
    news()
    data = sale(1) | {"note": "checked"}
    form = {"data": json.dumps(data), "status": "raw", "seen_version": 1}
    page.post(reverse("admin:records_datarecord_change", args=["shop_3A1"]), form)
    entry = news.one()
    assert told(entry) == ("record.edited", "record", "shop:1", "shop")
    assert said(entry.before)["version"] == 1
    assert said(entry.after) == {"data": {"note": "checked"}, "version": 2}


def test_deleting_one_record_names_it_and_deleting_many_lists_them(page, news):
    land("shop", {key: sale(1) for key in "123"})
    news()
    page.post(reverse("admin:records_datarecord_delete", args=["shop_3A1"]), {"post": "yes"})
    assert told(news.one()) == ("records.deleted", "record", "shop:1", "shop")
    page.post("/explore/do/delete?source=shop", {"sure": "yes"})
    entry = news.one()
    assert told(entry) == ("records.deleted", "records", "", "shop")
    assert said(entry.before) == {"ids": ["shop:2", "shop:3"]}
    page.post("/explore/do/delete?source=shop", {"sure": "yes"})
    assert not news()


def test_bulk_actions_of_the_administration_are_one_entry(page, news):
    land("shop", {key: sale(1) for key in "123"})
    factories.process("shop")
    news()
    chosen = {"_selected_action": ["shop:1", "shop:2"]}
    url = reverse("admin:records_datarecord_changelist")
    page.post(url, {"action": "process_again", **chosen})
    assert told(news.one()) == ("records.reprocessed", "records", "", "shop")
    page.post(url, {"action": "delete_selected", "post": "yes", **chosen})
    assert said(news.one().before) == {"ids": ["shop:1", "shop:2"]}


def test_what_an_action_in_portions_has_committed_is_in_the_log(news, monkeypatch):
    land("shop", {f"{number}": sale(number) for number in range(5)})
    news()
    monkeypatch.setattr("explore.explorer.bulk_actions.CHUNK", 2)
    bulk_actions.carry_out("delete", DataRecord.objects.all())
    listed = [said(entry.before) or {"ids": [entry.object_id]} for entry in news()]
    assert [key for entry in listed for key in entry["ids"]] == [f"shop:{n}" for n in range(5)]


def test_a_change_that_is_rolled_back_leaves_no_entry_and_no_gap(news):
    land("shop", {"1": sale(1)})
    news()
    with transaction.atomic():
        store.delete_records(ids=["shop:1"])
        transaction.set_rollback(True)
    assert not news()
    assert DataRecord.objects.exists()
    store.delete_records(ids=["shop:1"])
    news.one()
    assert list(AuditEntry.objects.values_list("number", flat=True)) == list(
        range(1, AuditEntry.objects.count() + 1)
    )


def test_processing_is_an_entry_if_a_person_starts_it(page, news):
    land("shop", {"1": sale(1)})
    news()
    page.post("/process/start/", {"source": "shop", "reprocess": "all"})
    entry = news.one()
    assert entry.action == "processing.started"
    assert said(entry.after) == {"limit": None, "selection": "all"}
    process.queue_landed(Source.objects.get())
    assert not news()


def test_cancelling_and_retrying_runs_are_entries_and_trials_are_none(page, news):
    run = factories.running("shop")
    page.post(reverse("cancel-ingestion", args=[run.pk]))
    assert told(news.one()) == ("run.cancelled", "ingestion run", str(run.pk), "shop")
    page.post(reverse("cancel-ingestion", args=[run.pk]))
    assert not news()
    waits = factories.running("shop")
    waiting.put_back(waits, factories.WORKER, "The disk is full.")
    page.post(reverse("retry-ingestion", args=[waits.pk]))
    assert told(news.one()) == ("run.retried", "ingestion run", str(waits.pk), "shop")
    land("shop", {"1": sale(1)})
    news()
    page.post(reverse("rehearse", args=["shop"]), {"do": "rehearse"})
    assert not news()


RULES = [{"rule": "stamp", "column": "seen"}]


def test_rules_that_a_person_saves_are_an_entry_and_default_rules_are_none(page, news):
    land("shop", {"1": sale(1)})
    news()
    source = Source.objects.get()
    former = rule_set_for(source)
    assert not news()
    form = json.dumps({"rules": RULES, "note": "only a stamp"})
    page.post("/api/sources/shop/rules", form, content_type="application/json")
    entry = news.one()
    assert told(entry) == ("rules.saved", "rule set", str(former.pk + 1), "shop")
    assert said(entry.before) == {"version": 1, "rules": former.rules}
    assert said(entry.after)["rules"] == RULES


def test_a_rule_set_that_is_added_in_the_administration_is_one_entry(page, news):
    land("shop", {"1": sale(1)})
    news()
    form = {"source": Source.objects.get().pk, "rules": json.dumps(RULES), "note": ""}
    page.post(reverse("admin:records_ruleset_add"), form)
    assert news.one().action == "rules.saved"


def test_settings_of_a_source_show_only_what_changed(page, news):
    land("shop", {"1": sale(1)})
    news()
    source = Source.objects.get()
    page.post("/sources/shop/settings/", {"on_conflict": "keep", "encoding": "cp1252"})
    entry = news.one()
    assert told(entry) == ("source.changed", "source", str(source.pk), "shop")
    assert said(entry.before)["on_conflict"] == "update"
    assert said(entry.after)["on_conflict"] == "keep"
    assert said(entry.after)["reading"] == {"encoding": "cp1252"}


def test_sources_in_the_administration_are_entries(page, news):
    page.post(reverse("admin:records_source_add"), {"name": "new", "mapping": "{}"})
    source = Source.objects.get()
    assert told(news.one()) == ("source.created", "source", str(source.pk), "new")
    form = {"mapping": "{}", "on_conflict": "keep"}
    page.post(reverse("admin:records_source_change", args=[source.pk]), form)
    entry = news.one()
    assert told(entry) == ("source.changed", "source", str(source.pk), "new")
    assert said(entry.after) == {"on_conflict": "keep"}
    page.post(reverse("admin:records_source_delete", args=[source.pk]), {"post": "yes"})
    assert told(news.one()) == ("source.deleted", "source", str(source.pk), "new")


def test_setting_the_number_format_tells_what_it_changes(ada, tmp_path, news):
    file = tmp_path / "shop.csv"
    file.write_text('id,value\n1,"2,5"\n2,"3,5"\n')
    factories.load(file, "shop", id=["id"], value=["value"])
    news()
    set_format(source=Source.objects.get(), text="1.234,56", user=ada)
    assert [entry.action for entry in news()] == ["source.changed", "processing.started"]


def test_saved_questions_and_dashboards_are_entries(page, ada, news):
    page.post("/questions/save?measure=count", {"name": "all", "dashboard": "new", "add": "1"})
    question, dashboard = SavedQuestion.objects.get(), Dashboard.objects.get()
    entries = news()
    assert [told(entry) for entry in entries] == [
        ("question.saved", "saved question", str(question.pk), ""),
        ("dashboard.saved", "dashboard", str(dashboard.pk), ""),
        ("dashboard.saved", "dashboard", str(dashboard.pk), ""),
    ]
    assert said(entries[2].after) == {"tiles": [{"width": 1, "question": question.pk}]}
    page.post(f"/questions/saved/{question.pk}/", {"name": "all", "audience": "everybody"})
    entry = news.one()
    assert (said(entry.before), said(entry.after)) == (
        {"audience": "private"}, {"audience": "everybody"},
    )  # fmt: skip
    page.post(f"/questions/saved/{question.pk}/delete")
    assert news.one().action == "question.deleted"
    page.post(f"/dashboards/{dashboard.pk}/delete")
    assert news.one().action == "dashboard.deleted"


def test_share_links_are_entries_without_their_token(page, ada, news):
    dashboard = Dashboard.objects.create(owner=ada, name="Sales")
    news()
    page.post(f"/links/new?dashboard={dashboard.pk}", {"days": "30"})
    link = ShareLink.objects.get()
    entry = news.one()
    assert told(entry) == ("share_link.created", "share link", str(link.pk), "")
    assert link.digest not in entry.after
    assert said(entry.after)["dashboard"] == dashboard.pk
    page.post(f"/links/{link.pk}/revoke")
    assert news.one().action == "share_link.revoked"
    page.post(f"/links/{link.pk}/revoke")
    assert news() == []


def test_saved_views_are_entries(page, ada, news):
    page.post("/explore/views/save?source=shop", {"name": "mine"})
    view = SavedView.objects.get()
    assert told(news.one()) == ("view.saved", "saved view", str(view.pk), "")
    page.post("/explore/views/save?status=failed", {"name": "mine"})
    entry = news.one()
    assert (said(entry.before), said(entry.after)) == (
        {"query": "source=shop"},
        {"query": "status=failed"},
    )
    page.post(reverse("remove-view", args=[view.pk]))
    assert told(news.one()) == ("view.removed", "saved view", str(view.pk), "")


# --- what goes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/explore/export", "/api/export", "/export"])
def test_an_export_is_an_entry_with_its_filter(page, url, news):
    land("shop", {"1": sale(1)})
    news()
    page.head(f"{url}?source=shop&format=csv")
    assert not news()
    b"".join(page.get(f"{url}?source=shop&format=csv"))
    entry = news.one()
    assert told(entry) == ("records.exported", "records", "", "shop")
    assert entry.object_label == "1 record"
    assert said(entry.after) == {"file": "shop.csv", "query": "source=shop&format=csv"}


def test_a_workbook_is_an_entry_when_it_is_started_downloaded_and_deleted(page, news, monkeypatch):
    monkeypatch.setattr("explore.export.request.MOST_AT_ONCE", 0)
    land("shop", {"1": sale(1)})
    news()
    page.get("/api/export?source=shop&format=xlsx")
    export = Export.objects.get()
    assert told(news.one()) == ("export.started", "export", str(export.pk), "shop")
    page.get("/api/export?source=shop&format=xlsx")
    assert not news()
    work_on(export, factories.WORKER)
    assert not news()
    for url in (f"/exports/{export.pk}/file", f"/api/exports/{export.pk}/file"):
        b"".join(page.get(url))
        assert told(news.one()) == ("export.downloaded", "export", str(export.pk), "shop")
    page.delete(f"/api/exports/{export.pk}")
    assert told(news.one()) == ("export.deleted", "export", str(export.pk), "shop")
