"""The admin: every table can be viewed, and edits go through the store."""

import json
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from explore.metrics import record_counts
from ingestion.parsing.timestamps.patterns import FORMATS
from records import store
from records.admin.base import LISTED
from records.errors import LeaseLost, SourceHasRecords
from records.models import (
    ColumnFold,
    ColumnSegment,
    Dashboard,
    DataRecord,
    DryRun,
    Export,
    ExportSlot,
    Feed,
    FirstPage,
    FolderFile,
    IdempotencyKey,
    IngestionRun,
    ProcessingBatch,
    ProcessingFacts,
    ProcessingResult,
    ProcessingRun,
    Receipt,
    RecordClosing,
    RecordCount,
    RecordKey,
    RecordText,
    RejectedRow,
    Rekey,
    RowOutcomes,
    RuleDryRun,
    RuleSet,
    SavedQuestion,
    ShareLink,
    SnapshotKey,
    Source,
    TextChange,
    Undo,
)
from records.rows import Reject
from tests import factories
from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db

TABLES = [model._meta.model_name or "" for model in apps.get_app_config("records").get_models()]
LOOKED_AT = [table for table in TABLES if table not in ("datarecord", "source", "ruleset")]


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("admin")


@pytest.fixture
def admin(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def url(table: str, page: str, *args: Any) -> str:
    return reverse(f"admin:records_{table}_{page}", args=args)


def page_of(record_id: str) -> str:
    return url("datarecord", "change", quote(record_id))


def change(admin: Client, record_id: str, **fields: Any) -> Any:
    """Send the form of a record as a browser does, with some fields changed."""
    record = DataRecord.objects.get(pk=record_id)
    form = {
        "data": json.dumps(record.data),
        "status": record.status,
        "seen_version": record.version,
    }
    return admin.post(page_of(record_id), form | fields, follow=True)


def errors(response: Any) -> str:
    form = response.context["adminform"].form
    return unescape(str(form.errors))


def everything() -> None:
    land(
        "shop",
        {"1": sale(1), "2": {"id": "2"}},
        rejects=(Reject(4, b"a\xff,b", "width", "2 cells, not 3"),),
    )
    process_all()
    store.edit_record(record_id="shop:1", data=sale(5), user=None)
    process_all()
    run = IngestionRun.objects.latest("pk")
    DryRun.objects.create(run=run, trigger="test")
    Undo.objects.create(run=run, trigger="test")
    RuleDryRun.objects.create(source=run.source, trigger="test", rules=[])
    feed = Feed.objects.create(source=run.source, kind="folder", secrets="sealed")
    FolderFile.objects.create(feed=feed, name="a", size=1, modified_ns=1, seen_at=timezone.now())
    processing, rule_set = ProcessingRun.objects.latest("pk"), RuleSet.objects.latest("pk")
    ProcessingFacts.objects.create(run=processing, rule_set=rule_set, facts={})
    ProcessingBatch.objects.create(
        run=processing, source="shop", first="shop:1", last="shop:2", records=2,
        lease_until=timezone.now(),
    )  # fmt: skip
    RecordText.objects.get_or_create(record_id="shop:1", defaults={"text": "SHOP:1"})
    TextChange.objects.create(ids='["shop:1"]')
    ColumnSegment.objects.create(
        source="shop", first="shop:1", last="shop:2", records=2, size=9, created_at=timezone.now()
    )
    ColumnFold.objects.create(source="shop", moment=timezone.now())
    RecordClosing.objects.create(record_id="shop:1", run=run, is_closed=True, at=timezone.now())
    SnapshotKey.objects.create(record_id="shop:1", run=run)
    Rekey.objects.create(run=run)
    RecordKey.objects.create(
        record_id="shop:1", former_id="shop:0", new_id="shop:1", run=run, at=timezone.now()
    )
    user = viewer("exporter")
    SavedQuestion.objects.create(owner=user, name="All", query="measure=count")
    dashboard = Dashboard.objects.create(owner=user, name="Mine")
    FirstPage.objects.create(user=user, dashboard=dashboard)
    ShareLink.objects.create(
        maker=user, dashboard=dashboard, digest="0" * 64, expires_at=timezone.now()
    )
    Export.objects.create(user=user, trigger="test")
    ExportSlot.objects.create(user=user, lease_until=timezone.now())
    IdempotencyKey.objects.create(user=user, key="k", fingerprint="0", run=run)
    RowOutcomes.objects.create(run=run, position=0, rows="[]")
    Receipt.objects.create(source=run.source, number=9, run=run, content="{}")


def test_tables_have_names_that_are_words(admin):
    page = admin.get(reverse("admin:index")).content.decode()
    assert "Processing batches" in page
    assert "Processing facts" in page
    assert "batchs" not in page
    assert "factss" not in page


def test_every_table_has_a_list_and_a_page_for_each_row(admin):
    everything()
    assert len(TABLES) == 37
    for model in apps.get_app_config("records").get_models():
        name = model._meta.model_name or ""
        assert admin.get(url(name, "changelist")).status_code == 200
        for row in model._default_manager.all():
            response = admin.get(url(name, "change", quote(str(row.pk))))
            assert response.status_code == 200, name


def test_the_secrets_of_a_feed_are_not_shown(admin):
    everything()
    page = admin.get(url("feed", "change", Feed.objects.get().pk)).content.decode()
    assert "sealed" not in page


@pytest.mark.parametrize("table", LOOKED_AT)
def test_nobody_adds_or_deletes_these_by_hand(admin, table):
    everything()
    model = apps.get_model("records", table)
    assert admin.get(url(table, "add")).status_code == 403
    row = model._default_manager.first()
    if row is not None:
        assert admin.post(url(table, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert admin.post(url(table, "change", row.pk), {}).status_code == 403


def test_records_are_not_added_by_hand(admin):
    assert admin.get(url("datarecord", "add")).status_code == 403


# --- records -----------------------------------------------------------------------------------


def test_an_edit_leaves_a_version_behind_and_is_processed_again(admin, staff):
    land("shop", {"1": sale(1)})
    process_all()
    change(admin, "shop:1", data='{"id": "1", "value": "2", "note": "Größe"}')
    record = DataRecord.objects.get()
    assert (record.data["note"], record.status, record.version) == ("Größe", "raw", 2)
    version = record.versions.get()
    assert (version.data, version.reason, version.replaced_by_user) == (sale(1), "edit", staff)
    assert record_counts.totals().raw == 1
    assert not record.results.filter(current=True).exists()


def test_a_form_that_changes_nothing_leaves_everything_as_it_is(admin):
    land("shop", {"1": sale(1)})
    process_all()
    change(admin, "shop:1")
    record = DataRecord.objects.get()
    assert (record.status, record.version, record.versions.count()) == ("processed", 1, 0)


def test_a_record_is_processed_again_by_its_status(admin):
    land("shop", {"1": sale(1)})
    process_all()
    change(admin, "shop:1", status="raw")
    assert DataRecord.objects.get().status == "raw"
    assert record_counts.totals().raw == 1
    assert ProcessingResult.objects.get().current is False


@pytest.mark.parametrize("status", ["processed", "failed", "processing", "", "x", "raw\0"])
def test_no_other_status_can_be_given(admin, status):
    land("shop", {"1": sale(1)})
    response = change(admin, "shop:1", status=status)
    assert "status" in errors(response)
    assert DataRecord.objects.get().status == "raw"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "This field is required."),
        ("{", "This is not valid JSON"),
        ("[1]", "a JSON object of its cells"),
        ('"text"', "a JSON object of its cells"),
        ("null", "This field is required."),
        ('{"a": NaN}', "This is not valid JSON: NaN is not a JSON value"),
        ('{"a": -Infinity}', "This is not valid JSON: -Infinity is not a JSON value"),
        ('{"a": 1e400}', "outside the range of numbers"),
        ('{"a": ' + "9" * 5000 + "}", "This is not valid JSON"),
        ('{"a": 99999999999999999999}', "can't be stored"),
        ('{"a": "\\u0000"}', "NUL character"),
        ('{"\\u0000": 1}', "NUL character"),
        ('{"a": "\0"}', "This is not valid JSON"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' + "[" * 500 + "]" * 500 + "}", "can't be stored"),
    ],
)
def test_data_that_no_record_can_hold_is_refused_with_a_sentence(admin, data, sentence):
    land("shop", {"1": sale(1)})
    response = change(admin, "shop:1", data=data)
    assert response.status_code == 200
    assert sentence in errors(response)
    assert DataRecord.objects.get().data == sale(1)


def test_what_another_changed_meanwhile_is_not_written_over(admin):
    land("shop", {"1": sale(1)})
    store.edit_record(record_id="shop:1", data=sale(2), user=None)
    response = change(admin, "shop:1", data='{"id": "3"}', seen_version=1)
    assert "was changed by someone else" in errors(response)
    assert DataRecord.objects.get().data == sale(2)


@pytest.mark.parametrize("key", ["a/b", "..", "a\nb", "50%", "a_2Fb", "ä 日", '"<b>', "a?b#c"])
def test_a_record_of_any_key_can_be_opened_edited_and_deleted(admin, key):
    land("shop", {key: sale(1)})
    assert admin.get(page_of(f"shop:{key}")).status_code == 200
    change(admin, f"shop:{key}", data='{"id": "2"}')
    assert DataRecord.objects.get().data == {"id": "2"}
    admin.post(url("datarecord", "delete", quote(f"shop:{key}")), {"post": "yes"})
    assert not DataRecord.objects.exists()


def test_the_page_of_a_record_shows_its_history_with_links(admin):
    everything()
    record = DataRecord.objects.get(pk="shop:1")
    text = unescape(admin.get(page_of("shop:1")).content.decode())
    version, result = record.versions.get(), record.results.get(current=True)
    assert url("recordversion", "change", version.pk) in text
    assert url("processingresult", "change", result.pk) in text
    assert url("ingestionrun", "change", record.run_id) in text
    assert url("processingrun", "change", result.run_id) in text
    assert url("ruleset", "change", result.rule_set_id) in text


def test_the_page_of_a_run_leads_to_its_rejected_rows(admin):
    everything()
    run = IngestionRun.objects.get()
    listed = f"{url('rejectedrow', 'changelist')}?q={run.pk}"
    assert listed in admin.get(url("ingestionrun", "change", run.pk)).content.decode()
    assert "2 cells, not 3" in admin.get(listed).content.decode()


def test_deleting_takes_versions_and_results_along_and_keeps_the_counters_true(admin):
    everything()
    page = admin.get(url("datarecord", "delete", quote("shop:1")))
    assert b"Records, with their versions and results" in page.content
    admin.post(url("datarecord", "delete", quote("shop:1")), {"post": "yes"})
    assert [record.pk for record in DataRecord.objects.all()] == ["shop:2"]
    assert ProcessingResult.objects.filter(record_id="shop:1").count() == 0
    assert record_counts.totals().total == 1


def test_selected_records_are_deleted_through_the_store(admin):
    everything()
    form = {
        "action": "delete_selected",
        "_selected_action": ["shop:1", "shop:2"],
        "post": "yes",
    }
    admin.post(url("datarecord", "changelist"), form)
    assert not DataRecord.objects.exists()
    assert record_counts.totals().total == 0


def test_selected_records_are_processed_again(admin):
    everything()
    form = {"action": "process_again", "_selected_action": ["shop:1", "shop:2"]}
    response = admin.post(url("datarecord", "changelist"), form, follow=True)
    assert b"2 of 2 records will be processed again." in response.content
    assert record_counts.totals().raw == 2


def test_actions_are_for_the_records_in_view_only(admin):
    everything()
    form = {"action": "delete_selected", "_selected_action": ["shop:1"], "post": "yes"}
    admin.post(url("datarecord", "changelist"), form | {"select_across": "1"})
    assert DataRecord.objects.count() == 2


def test_the_list_is_filtered_by_source_and_status_and_searched_by_the_start_of_an_id(admin):
    everything()
    land("shop2", {"a b": sale(1)})

    def listed(query: str) -> list[str]:
        response = admin.get(url("datarecord", "changelist") + "?" + query)
        return [record.pk for record in response.context["cl"].result_list]

    assert listed("") == ["shop2:a b", "shop:1", "shop:2"]
    assert listed("source=shop") == ["shop:1", "shop:2"]
    assert listed("status__exact=failed") == ["shop:2"]
    assert listed("q=shop:2") == ["shop:2"]
    assert listed("q=shop2:a b") == ["shop2:a b"]
    assert listed("q=%25") == []
    assert listed("source=unknown") == []


def test_what_the_database_refuses_is_said_on_a_page_of_ours(admin):
    form = {"action": "delete_selected", "_selected_action": ["a\0b"], "post": "yes"}
    response = admin.post(url("source", "changelist"), form)
    assert response.status_code == 400
    assert "a value that the database can't search for" in unescape(response.content.decode())


def test_a_fault_of_the_admin_is_not_taken_for_one_of_the_request(admin, monkeypatch):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ValueError("a fault")

    monkeypatch.setattr("records.admin.records.RecordAdmin.get_queryset", fail)
    with pytest.raises(ValueError, match="a fault"):
        admin.get(url("datarecord", "changelist"))


def test_a_large_table_is_neither_counted_nor_skipped(admin, django_assert_max_num_queries):
    land("shop", {f"{number:05}": sale(number) for number in range(LISTED + 50)})
    with django_assert_max_num_queries(8) as queries:
        response = admin.get(url("datarecord", "changelist"))
    assert response.context["cl"].result_count == LISTED
    assert not any("COUNT(" in query["sql"] for query in queries.captured_queries)
    assert admin.get(url("datarecord", "changelist") + "?p=10").status_code == 200


def test_who_may_only_look_changes_nothing(staff):
    land("shop", {"1": sale(1)})
    looking = viewer("viewer", is_staff=True)
    looking.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(looking)
    assert client.get(page_of("shop:1")).status_code == 200
    form = {"data": "{}", "status": "raw", "seen_version": 1}
    assert client.post(page_of("shop:1"), form).status_code == 403
    action = {"action": "process_again", "_selected_action": ["shop:1"]}
    client.post(url("datarecord", "changelist"), action)
    assert (
        client.post(url("datarecord", "delete", quote("shop:1")), {"post": "yes"}).status_code
        == 403
    )
    assert DataRecord.objects.get().data == sale(1)


def test_the_results_of_a_record_are_found_without_reading_those_of_others(admin):
    land("shop", {f"{number:04}": sale(number) for number in range(2_000)})
    process_all()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = ProcessingResult.objects.of_record("shop:0007").explain()
    assert "one_current_result" in plan
    assert "results_former" in plan
    response = admin.get(url("processingresult", "changelist") + "?q=shop:0007")
    assert [result.record_id for result in response.context["cl"].result_list] == ["shop:0007"]


# --- sources and rule sets ---------------------------------------------------------------------


def test_a_mapping_is_edited(admin):
    land("shop", {})
    source = Source.objects.get()
    mapping = {"id": ["a", "b"], "timestamp": ["Date", "Time"], "timestamp_format": "%d.%m.%Y"}
    admin.post(url("source", "change", source.pk), {"mapping": json.dumps(mapping)})
    source.refresh_from_db()
    assert source.name == "shop"
    assert source.mapping == mapping | {"value": [], "category": []}


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"timestamp_format": "%d/%m/%Y"},
        {"id": ["a"], "timestamp": [], "value": [], "category": [], "timestamp_format": None},
    ],
)
def test_a_mapping_that_decides_little_is_saved_as_it_is(admin, mapping):
    source = Source.objects.create(name="shop", mapping={"id": ["b"]})
    admin.post(url("source", "change", source.pk), {"mapping": json.dumps(mapping)})
    source.refresh_from_db()
    assert source.mapping == mapping


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("[]x", "This is not valid JSON"),
        ("[1]", "A mapping must be a JSON object"),
        ('{"key": ["a"]}', "There is no role 'key'."),
        ('{"id": "a"}', "'id' must be a list of column names."),
        ('{"id": [1]}', "'id' must be a list of column names."),
        ('{"id": [""]}', "'id' must be a list of column names."),
        ('{"id": ["\\u0000"]}', "'id' must be a list of column names."),
        ('{"id": ["a", "a"]}', "'id' lists a column more than once."),
        ('{"value": ["a", "b"]}', "'value' can have only one column."),
        ('{"timestamp_format": "soon"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        ('{"timestamp_format": 5}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        ('{"timestamp_format": "%"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        ('{"timestamp_format": "%Q%"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        ('{"timestamp_format": "%%"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        ('{"timestamp_format": "%H:%M"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
        (
            '{"timestamp_format": "%-d.%m.%Y"}',
            "'timestamp_format' must be 'iso', 'unix' or a format",
        ),
        ('{"timestamp_format": "%Y-%Y"}', "'timestamp_format' must be 'iso', 'unix' or a format"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_with_a_sentence(admin, mapping, sentence):
    land("shop", {})
    source = Source.objects.get()
    response = admin.post(url("source", "change", source.pk), {"mapping": mapping})
    assert sentence in errors(response)
    assert Source.objects.get().mapping == source.mapping


def test_a_source_is_added_by_hand_with_a_name_that_fits(admin):
    admin.post(url("source", "add"), {"name": "new", "mapping": "{}"})
    assert Source.objects.get().name == "new"
    for name in ("a:b", "", "a/b", "a\0", "new"):
        response = admin.post(url("source", "add"), {"name": name, "mapping": "{}"})
        assert "name" in errors(response)


@pytest.mark.parametrize("pattern", [*FORMATS, "%Y-%m-%d %H:%M:%S%z", "%c", "%G-W%V-%u"])
def test_every_format_that_dates_are_read_by_can_be_given(admin, pattern):
    source = Source.objects.create(name="shop")
    mapping = json.dumps({"timestamp_format": pattern})
    admin.post(url("source", "change", source.pk), {"mapping": mapping})
    source.refresh_from_db()
    assert source.mapping["timestamp_format"] == pattern


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_source_with_records_can_not_be_deleted_and_the_page_says_why(admin, way):
    everything()
    response = delete_sources(admin, way, Source.objects.get())
    assert response.status_code == 200
    assert "shop has records. Delete them first." in response.content.decode()
    assert DataRecord.objects.count() == 2
    assert RuleSet.objects.exists()


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_source_without_records_is_deleted_with_all_that_belongs_to_it(admin, way):
    everything()
    land("other", {"1": sale(1)}, rejects=(Reject(4, b"x", "width", "1 cell, not 3"),))
    store.delete_records(ids=["shop:1", "shop:2"])
    delete_sources(admin, way, Source.objects.get(name="shop"))
    assert Source.objects.names() == ["other"]
    for table in (RuleSet, RecordCount, IngestionRun):
        assert set(table.objects.values_list("source", flat=True)) <= {"other", source_id("other")}
    assert RejectedRow.objects.count() == 1
    assert record_counts.totals().total == 1


def test_a_run_whose_source_was_deleted_lands_nothing_more(admin):
    run = factories.running("wrong")
    store.delete_source(source=run.source)
    with pytest.raises(LeaseLost):
        factories.land([factories.row("wrong:1", sale(1))], run=run)
    assert not DataRecord.objects.exists()
    assert not RecordCount.objects.exists()


def test_a_source_that_gets_records_meanwhile_is_kept():
    everything()
    with pytest.raises(SourceHasRecords):
        store.delete_source(source=Source.objects.get())
    assert Source.objects.exists()


def delete_sources(admin: Client, way: str, source: Source) -> Any:
    if way == "page":
        return admin.post(url("source", "delete", source.pk), {"post": "yes"})
    form = {"action": "delete_selected", "_selected_action": [source.pk], "post": "yes"}
    return admin.post(url("source", "changelist"), form)


def source_id(name: str) -> int:
    return Source.objects.get(name=name).pk


def test_adding_a_rule_set_supersedes_the_one_in_force(admin, staff):
    everything()
    source = Source.objects.get()
    form = admin.get(url("ruleset", "add") + "?source=shop").context["adminform"].form
    rules = [*form.initial["rules"], {"rule": "text", "column": "note", "strip": True}]
    response = admin.post(
        url("ruleset", "add"),
        {"source": source.pk, "rules": json.dumps(rules), "note": "Strip notes"},
        follow=True,
    )
    assert response.status_code == 200
    assert [rule_set.version for rule_set in RuleSet.objects.all()] == [2, 1]
    current = source.current_rule_set
    assert current is not None
    assert (current.rules, current.note, current.author) == (rules, "Strip notes", staff)
    assert staff.logentry_set.get().object_id == str(current.pk)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("{}", "Rules must be a list."),
        ("[5]", "Rule 1: 'rule' must be one of required, number, "),
        ('[{"rule": []}]', "Rule 1: 'rule' must be"),
        ('[{"rule": "magic"}]', "Rule 1: 'rule' must be"),
        (
            '[{"rule": "required"}]',
            "Rule 1: 'columns' of 'required' must be a list of different column names",
        ),
        ('[{"rule": "required", "columns": "id"}]', "must be a list of different column names"),
        ('[{"rule": "number", "default": 1}]', "'column' of 'number' must be a column name."),
        ('[{"rule": "number", "column": "a", "default": true}]', "must be a number."),
        ('[{"rule": "stamp", "column": "a\\u0000"}]', "must be a column name."),
        (
            '[{"rule": "text", "column": "a", "strip": 1}]',
            "'strip' of 'text' must be true or false.",
        ),
        (
            '[{"rule": "stamp", "column": "a", "zone": 1}]',
            "'stamp' has no parameter 'zone', only column, off, note.",
        ),
    ],
)
def test_rules_that_can_not_be_carried_out_are_refused_with_a_sentence(admin, rules, sentence):
    land("shop", {})
    form = {"source": Source.objects.get().pk, "rules": rules, "note": ""}
    response = admin.post(url("ruleset", "add"), form)
    assert sentence in errors(response)
    assert not RuleSet.objects.exists()


def test_a_rule_set_is_never_edited_or_deleted(admin):
    everything()
    rule_set = RuleSet.objects.get()
    assert admin.post(url("ruleset", "change", rule_set.pk), {"note": "x"}).status_code == 403
    assert admin.post(url("ruleset", "delete", rule_set.pk), {"post": "yes"}).status_code == 403
