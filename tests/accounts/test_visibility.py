"""Who is limited to some sources finds nothing of the others, wherever they look."""

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import rights
from accounts.models import SourceGrant
from explore.export.jobs import MakeExport
from processing.jobs import process
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    Export,
    Feed,
    IngestionRun,
    ProcessingResult,
    ProcessingRun,
    RecordCount,
    RejectedRow,
    RuleSet,
    Source,
    ValueCount,
)
from records.rows import Reject
from records.visible_sources import limited_to
from tests.factories import WORKER
from tests.landed import land, process_all, sale
from tests.markup import texts, tree
from tests.people import of_role

pytestmark = pytest.mark.django_db

# Some names begin with others: what belongs to one must not be found under the other.
SIZES = {"shop": 3, "shop-2": 5, "tickets": 7}
REJECT = Reject(9, b"x", "missing_key", "No key.", "id")


@pytest.fixture
def sources() -> dict[str, IngestionRun]:
    """Sources with records, results, counters, runs and rejected rows."""
    runs = {
        name: land(name, {str(n): sale(n) for n in range(size)}, rejects=(REJECT,))
        for name, size in SIZES.items()
    }
    for name in SIZES:
        work_on(process.create_run(trigger="test", source_name=name), WORKER)
    return runs


@pytest.fixture
def ann() -> User:
    return of_role("Operator", "ann")


def limit(user: User, *names: str) -> None:
    for name in names:
        SourceGrant.objects.create(user=user, source=Source.objects.get(name=name))


@pytest.fixture
def shop_client(client, sources, ann) -> Client:
    """Somebody who sees the source “shop” alone."""
    limit(ann, "shop")
    client.force_login(ann)
    return client


TABLES = [Source, DataRecord, ProcessingResult, RecordCount, ValueCount, IngestionRun,
          ProcessingRun, RejectedRow, RuleSet]  # fmt: skip


@pytest.mark.parametrize("model", TABLES)
def test_every_table_leaves_out_what_belongs_to_others(sources, model):
    everything = model.objects.count()
    parts = []
    for name in SIZES:
        with limited_to([name]):
            parts.append(model.objects.count())
    assert all(parts)
    assert sum(parts) == everything
    with limited_to([]):
        assert not model.objects.exists()
    with limited_to(SIZES):
        assert model.objects.count() == everything


def test_without_a_limit_sql_stays_as_it_was():
    for model in (DataRecord, ProcessingResult, IngestionRun, RejectedRow, RecordCount):
        assert "WHERE" not in str(model.objects.order_by().query)


def test_what_is_built_before_the_limit_keeps_to_it(sources):
    rows = DataRecord.objects.all()
    with limited_to(["shop"]):
        assert rows.count() == SIZES["shop"]


def test_thousands_of_sources_can_be_seen(sources):
    names = [f"s{number}" for number in range(2_000)]
    with limited_to([*names, "shop"]):
        assert DataRecord.objects.count() == SIZES["shop"]


def seen(client: Client) -> Iterator[tuple[str, int]]:
    """How many records each way of looking finds."""
    stats = client.get("/stats").json()
    yield "stats", stats["total_records"]
    yield "stats by source", sum(each["total_records"] for each in stats["by_source"])
    yield "API", len(client.get("/records?limit=100").json()["records"])
    facets = client.get("/api/records/facets").json()["facets"]
    for facet in facets:
        if facet["name"] in ("status", "source", "run"):
            yield facet["name"], sum(value["count"] for value in facet["values"])
    exported = b"".join(client.get("/api/export?format=ndjson"))
    yield "export", len(exported.splitlines())
    explorer = tree(client.get("/explore/").content.decode())
    yield "explorer", len(explorer.select("#records tbody tr"))
    dashboard = tree(client.get("/").content.decode())
    (total,) = texts(dashboard, ".tile dd")[:1]
    yield "dashboard", int(total)


@settings(max_examples=6)
@given(
    own=st.sets(st.sampled_from([*SIZES]), max_size=3),
    of_group=st.sets(st.sampled_from([*SIZES]), max_size=2),
)
def test_all_ways_of_looking_agree(sources, own, of_group):
    User.objects.filter(username="eve").delete()
    Group.objects.filter(name="team").delete()
    eve, team = of_role("Viewer", "eve"), Group.objects.create(name="team")
    eve.groups.add(team)
    limit(eve, *own)
    for name in of_group:
        SourceGrant.objects.create(group=team, source=Source.objects.get(name=name))
    names = (own | of_group) or set(SIZES)
    client = Client()
    client.force_login(eve)
    expected = sum(SIZES[name] for name in names)
    found = dict(seen(client))
    assert found == dict.fromkeys(found, expected)
    runs = client.get("/api/runs").json()["runs"]
    assert {run["source"] for run in runs} == names
    assert {each["source"] for each in client.get("/stats").json()["by_source"]} == names


URLS = ["/sources/{0}/", "/explore/record/{0}:1", "/sources/{0}/settings/", "/sources/{0}/rules/",
        "/sources/{0}/rules/compare/", "/sources/{0}/feed/", "/?source={0}", "/runs/?source={0}",
        "/sources/{0}/number-format/", "/api/records/{0}:1", "/records/{0}:1",
        "/api/sources/{0}/rules"]  # fmt: skip
RUN_URLS = ["/runs/ingestion/{0}/", "/runs/ingestion/{0}/changes/", "/rejected/?run={0}",
            "/runs/ingestion/{0}/rejected.csv", "/runs/ingestion/{0}/undo/", "/upload/{0}/",
            "/api/runs/{0}", "/api/runs/{0}/changes"]  # fmt: skip
CHANGES = ["/runs/ingestion/{0}/undo/", "/runs/ingestion/{0}/replay/",
           "/runs/ingestion/{0}/cancel/", "/runs/ingestion/{0}/retry/"]  # fmt: skip


def test_every_page_of_a_hidden_source_is_unknown(shop_client, sources):
    Feed.objects.create(source=Source.objects.get(name="tickets"), config={"url": "http://x"})
    processing = ProcessingRun.objects.get(source__name="tickets")
    row = RejectedRow.objects.get(run__source__name="tickets")
    hidden = [url.format("tickets") for url in URLS]
    hidden += [url.format(sources["tickets"].pk) for url in RUN_URLS]
    hidden += [f"/runs/processing/{processing.pk}/", f"/rejected/{row.pk}/"]
    assert {url: shop_client.get(url).status_code for url in hidden} == dict.fromkeys(hidden, 404)
    changes = [url.format(sources["tickets"].pk) for url in CHANGES]
    changes += ["/sources/tickets/settings/", "/sources/tickets/rules/",
                "/sources/tickets/feed/load/", "/sources/tickets/feed/remove/",
                "/sources/tickets/rules/rehearse/"]  # fmt: skip
    assert {url: shop_client.post(url).status_code for url in changes} == dict.fromkeys(
        changes, 404
    )
    shown = [
        url.format("shop") for url in ("/sources/{0}/", "/explore/record/{0}:1", "/?source={0}")
    ]
    assert {url: shop_client.get(url).status_code for url in shown} == dict.fromkeys(shown, 200)


def test_no_page_names_a_hidden_source(shop_client):
    for url in ("/", "/explore/?facets=1", "/runs/", "/sources/", "/rejected/", "/upload/"):
        assert "tickets" not in shop_client.get(url).content.decode(), url


def test_bulk_actions_leave_hidden_records_alone(shop_client):
    answer = shop_client.post("/explore/do/delete?source=tickets", {"sure": "yes"})
    assert answer.status_code == 302
    shop_client.post("/explore/do/delete", {"sure": "yes"})
    left = {name: DataRecord.objects.of_source(name).count() for name in SIZES}
    assert left == SIZES | {"shop": 0}


def test_figures_of_one_person_are_not_kept_for_another(sources, ann, admin_client):
    whole = admin_client.get("/?counted=1").content.decode()
    assert "12" in whole or "15" in whole
    limit(ann, "shop")
    client = Client()
    client.force_login(ann)
    assert "tickets" not in client.get("/?counted=1").content.decode()
    assert "tickets" in admin_client.get("/?counted=1").content.decode()


def test_nobody_imports_into_a_source_that_they_may_not_see(shop_client):
    for name in ("tickets", "new"):
        answer = shop_client.post(
            f"/api/ingest?source={name}", b"id,value\n1,2\n", content_type="text/csv"
        )
        assert answer.status_code == 403, name
        assert "You are limited to some sources" in answer.json()["detail"]
    assert not Source.objects.filter(name="new").exists()
    answer = shop_client.post(
        "/api/ingest?source=shop", b"id,value\n1,2\n", content_type="text/csv"
    )
    assert answer.status_code == 202


def test_nobody_processes_what_they_may_not_see(shop_client):
    assert shop_client.post("/process/start/").status_code == 403
    assert shop_client.post("/process/start/", {"source": "tickets"}).status_code == 404
    assert shop_client.post("/process/start/", {"source": "shop"}).status_code == 302
    everything = process_all()
    assert shop_client.get(f"/runs/processing/{everything.pk}/").status_code == 404


def test_a_worker_exports_what_the_person_may_see_by_then(sources, ann):
    export = Export.objects.create(user=ann, query="format=ndjson", trigger="test")
    limit(ann, "shop")
    done = work_on(export, WORKER)
    assert done is not None
    assert done.total == SIZES["shop"]
    assert MakeExport is not None


def test_the_admin_lists_what_is_seen(sources):
    clerk = of_role("Viewer", "clerk", is_staff=True)
    limit(clerk, "shop")
    client = Client()
    client.force_login(clerk)
    for table in ("datarecord", "ingestionrun", "source", "recordcount"):
        page = client.get(f"/admin/records/{table}/").content.decode()
        assert "shop" in page, table
        assert "tickets" not in page, table
    assert client.get("/admin/records/datarecord/tickets_3A1/change/").status_code == 302


def test_a_stream_keeps_to_the_limit_after_the_view_has_returned(shop_client):
    answer = shop_client.get("/explore/export?format=ndjson")
    lines = b"".join(answer.streaming_content).splitlines()
    assert {json.loads(line)["source"] for line in lines} == {"shop"}
    assert rights.has_begun(User())


def test_drafts_are_for_those_who_made_them(client, sources):
    bob, eve = of_role("Editor", "bob"), of_role("Editor", "eve")
    run = IngestionRun.objects.create(
        source=Source.objects.get(name="shop"), path="/none", file_name="a.csv", trigger="upload",
        state="draft", user=bob,
    )  # fmt: skip
    client.force_login(eve)
    for answer in (
        client.get(f"/upload/{run.pk}/"),
        client.post(f"/upload/{run.pk}/", {"do": "discard"}),
        client.get(f"/upload/{run.pk}/dry-run/"),
    ):
        assert answer.status_code == 404
    assert IngestionRun.objects.filter(pk=run.pk).exists()
    client.force_login(of_role("Operator", "boss"))
    assert client.post(f"/upload/{run.pk}/", {"do": "discard"}).status_code == 302


def test_the_policy_of_a_source_is_changed_by_those_who_may_change_its_settings(client, sources):
    client.force_login(of_role("Editor", "bob"))
    sent = {"content_type": "text/csv"}
    url = "/api/ingest?source=shop&on_conflict="
    assert client.post(f"{url}keep", b"id,value\n1,2\n", **sent).status_code == 403
    assert client.post(f"{url}update", b"id,value\n1,2\n", **sent).status_code == 202
    assert Source.objects.get(name="shop").on_conflict == "update"
