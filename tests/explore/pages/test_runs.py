"""The list of runs and the pages of runs."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from ingestion.loading.runs import create_run
from records.jobs.runner import work_on
from records.jobs.sweep import wake_stalled
from records.models import (
    DataRecord,
    Heartbeat,
    IngestionRun,
    ProcessingRun,
    RejectedRow,
    Source,
    Undo,
)
from records.rows import Reject
from tests.landed import land, process_all, sale
from tests.markup import href, next_to, tree
from tests.people import viewer

pytestmark = pytest.mark.django_db


def text(response):
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def source():
    return Source.objects.create(name="shop")


def waiting_run(source, **fields):
    given = {
        "file_name": "sales.csv",
        "trigger": "upload",
        "size": 1000,
        "state": "queued",
    } | fields
    given = {"path": "/kept/sales.csv", **given}
    if given["state"] == "running":
        given = {"lease_until": timezone.now() + timedelta(hours=1), **given}
    return IngestionRun.objects.create(source=source, **given)


def test_without_runs_the_list_says_so(admin_client):
    assert "No runs yet" in text(admin_client.get("/runs/"))


def test_the_list_walks_through_runs_of_both_kinds_newest_first(admin_client, source):
    expected: list[str] = []
    for number in range(70):
        run = (
            waiting_run(source)
            if number % 3
            else ProcessingRun.objects.create(source=source, trigger="test")
        )
        expected.insert(0, run.get_absolute_url())
    query: str | None = ""
    walked: list[str] = []
    while query is not None:
        html = text(admin_client.get(f"/runs/{query}"))
        walked += linked_runs(html)
        query = href(html, 'a[rel="next"]')
    assert walked == expected


def ledger_of(html):
    terms = [term for term in tree(html).select("dl.ledger dt") if term.get_text()]
    return [(term.get_text(), next_to(term, "dd")) for term in terms]


def linked_runs(html):
    return [link["href"] for link in tree(html).select("th[scope=row] > a[id]")]


def test_the_list_of_a_source_has_its_runs_and_those_over_all_sources(admin_client, source):
    land("other", {"1": sale(1)})
    run = waiting_run(source)
    over_all = ProcessingRun.objects.create(trigger="test")
    html = text(admin_client.get("/runs/?source=shop"))
    assert linked_runs(html) == [over_all.get_absolute_url(), run.get_absolute_url()]


@pytest.mark.parametrize("bound", ["x", "-1", "9" * 30, "%00", "1.5"])
def test_a_bound_that_is_no_number_is_a_400(admin_client, bound):
    assert admin_client.get(f"/runs/?ingestion={bound}").status_code == 400


@pytest.mark.parametrize("url", ["/runs/?source=nope", "/runs/?source=%00", "/runs/ingestion/7/",
                                 "/runs/processing/7/", f"/runs/ingestion/{10**30}/"])  # fmt: skip
def test_what_does_not_exist_is_a_404(admin_client, url):
    assert admin_client.get(url).status_code == 404


def test_a_finished_run_shows_its_ledger_and_its_rejected_rows(admin_client):
    rejects = (
        Reject(3, b"a,\x01b\xff\r\n", "too_few_cells", "The row has 2 cells."),
        Reject(9, b"<script>alert(1)</script>", "bad", "<b>bold</b>", "<i>column</i>"),
    )
    run = land("shop", {"1": sale(1), "2": sale(2)}, rejects=rejects)
    html = text(admin_client.get(run.get_absolute_url()))
    assert ledger_of(html) == [
        ("rows read", "4"),
        ("created", "2"),
        ("updated", "0"),
        ("unchanged", "0"),
        ("rejected", "2"),
    ]
    assert "a,[U+0001]b\ufffd</code>" in html
    assert '<th scope="row" class="number">3</th>' in html
    assert "The row has 2 cells." in html
    for unsafe in ("<script>alert", "<b>bold", "<i>column"):
        assert unsafe not in html


def test_rejected_rows_come_in_pages(admin_client):
    rejects = tuple(Reject(i, b"x", "bad", f"Row {i} is bad.") for i in range(1, 61))
    run = land("shop", {}, rejects=rejects)
    html = text(admin_client.get(run.get_absolute_url()))
    assert "Row 50 is bad." in html
    assert "Row 51 is bad." not in html
    following = re.search(r'rel="next" href="([^"]+)"', html)
    assert following
    assert "Row 60 is bad." in text(admin_client.get(run.get_absolute_url() + following.group(1)))
    assert admin_client.get(run.get_absolute_url() + "?cursor=x").status_code == 400


def test_an_active_run_polls_and_an_ended_one_does_not(admin_client, source):
    run = waiting_run(source, state="running", bytes_read=250)
    html = text(admin_client.get(run.get_absolute_url()))
    assert 'hx-trigger="every 1s"' in html
    assert 'aria-valuenow="25.0"' in html
    assert '<noscript><meta http-equiv="refresh"' in html
    part = admin_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})
    assert "<html" not in text(part)
    same = {"HX-Request": "true", "If-None-Match": part["ETag"]}
    assert admin_client.get(run.get_absolute_url(), headers=same).status_code == 304
    IngestionRun.objects.filter(pk=run.pk).update(state="finished")
    ended = admin_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})
    assert ended["HX-Refresh"] == "true"
    assert "every 1s" not in text(admin_client.get(run.get_absolute_url()))


def test_a_running_run_tells_shares_rate_time_left_and_the_latest_rejection(admin_client, source):
    run = waiting_run(
        source, state="running", bytes_read=250, columns=["id"], read=100, created=80, rejected=20,
        started_at=timezone.now() - timedelta(seconds=100),
    )  # fmt: skip
    for line in (7, 9):
        RejectedRow.objects.create(
            run=run, line=line, raw=b"x", code="bad", message=f"Row {line} is <b>bad</b>.",
            created_at=timezone.now(),
        )  # fmt: skip
    html = text(admin_client.get(run.get_absolute_url()))
    assert '<rect class="good" x="0.0000" width="0.2000" height="1"/>' in html
    assert '<rect class="bad" x="0.2000" width="0.0500" height="1"/>' in html
    assert "250 bytes of 1.0 kB" in html
    assert "1 rows/s" in html
    assert re.search(r"(5 min 0|4 min 59|5 min 1) s left", html)
    assert "line 9:</span> Row 9 is &lt;b&gt;bad&lt;/b&gt;." in html
    assert not re.search(r"\sstyle=", html)


def test_a_run_that_has_read_nothing_yet_promises_nothing(admin_client, source):
    run = waiting_run(source, state="running", started_at=timezone.now())
    html = text(admin_client.get(run.get_absolute_url()))
    assert "Inspecting sales.csv" in html
    for promise in ("rows/s", " left<", "<rect", "Rejected last"):
        assert promise not in html


@pytest.mark.parametrize("url", ["/runs/", "/sources/shop/", "/runs/?source=shop"])
def test_a_list_of_runs_moves_while_one_is_active(admin_client, source, url):
    run = waiting_run(source)
    assert f'hx-get="{url}" hx-trigger="every 2s"' in text(admin_client.get(url))
    asked = {"HX-Request": "true"}
    part = admin_client.get(url, headers=asked)
    assert "<html" not in text(part)
    same = asked | {"If-None-Match": part["ETag"]}
    assert admin_client.get(url, headers=same).status_code == 304
    IngestionRun.objects.filter(pk=run.pk).update(state="failed", error="It is gone.")
    ended = text(admin_client.get(url, headers=same))
    assert "badge-failed" in ended
    assert "It is gone." in ended
    assert "hx-get" not in ended


def test_the_part_that_moves_brings_the_badge_of_the_same_reading(admin_client, source):
    run = waiting_run(source)
    process = ProcessingRun.objects.create(source=source, trigger="test")
    for model, found in ((IngestionRun, run), (ProcessingRun, process)):
        url = found.get_absolute_url()
        assert '<span id="state"><span class="badge badge-queued">' in text(admin_client.get(url))
        held = {"state": "running", "lease_until": timezone.now() + timedelta(hours=1)}
        model.objects.filter(pk=found.pk).update(**held)
        part = text(admin_client.get(url, headers={"HX-Request": "true"}))
        assert '<span id="state" hx-swap-oob="true"><span class="badge badge-running">' in part
        assert "Waiting for a worker" not in part


def test_a_run_whose_worker_is_gone_waits_for_another_one(admin_client, source):
    lapsed = timezone.now() - timedelta(seconds=1)
    run = waiting_run(source, state="running", lease_until=lapsed)
    html = text(admin_client.get(run.get_absolute_url()))
    assert "Interrupted, waiting for a worker" in html
    assert '<span class="badge badge-warning">interrupted</span>' in html
    assert "badge-running" not in text(admin_client.get("/runs/"))
    assert "No worker is running." in html
    Heartbeat.objects.create(queue="ingestion", seen_at=timezone.now())
    assert "No worker is running." not in text(admin_client.get(run.get_absolute_url()))


def test_processing_that_has_not_begun_tells_no_number_that_is_not_known(admin_client, source):
    run = ProcessingRun.objects.create(source=source, trigger="test")
    html = text(admin_client.get(run.get_absolute_url()))
    assert "0 of 0 records" not in html
    assert "Records at start" not in html
    ProcessingRun.objects.filter(pk=run.pk).update(state="finished")
    assert "Records at start" in text(admin_client.get(run.get_absolute_url()))


def test_a_run_that_a_command_works_on_needs_no_worker(admin_client, source):
    run = waiting_run(source, state="running", worker="here:1:aside-x")
    html = text(admin_client.get(run.get_absolute_url()))
    assert "No worker is running." not in html
    assert "Inspecting sales.csv" in html


def test_a_run_that_fetches_says_what_it_does_and_no_size_that_is_not_known(admin_client, source):
    why = "No page from api.example.com: it sent no data for 20 seconds."
    said = f"{why} Tried 2 times, retrying in 8 s."
    run = waiting_run(source, state="running", path="", size=0, activity=said)
    html = text(admin_client.get(run.get_absolute_url()))
    assert said in html
    assert "0 bytes" not in html
    assert 'role="progressbar"' not in html
    tag = admin_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})["ETag"]
    IngestionRun.objects.filter(pk=run.pk).update(activity="Fetching page 2 (10 rows so far)")
    again = {"HX-Request": "true", "If-None-Match": tag}
    assert "Fetching page 2" in text(admin_client.get(run.get_absolute_url(), headers=again))
    IngestionRun.objects.filter(pk=run.pk).update(state="failed", error="It can't be had.")
    assert "Fetching" not in text(admin_client.get(run.get_absolute_url()))


def test_a_run_whose_rejected_rows_have_been_taken_up_does_not_ask_to_repair_them(admin_client):
    run = land("shop", {"1": sale(1)}, rejects=(Reject(3, b"x", "b", ""), Reject(4, b"y", "b", "")))
    url = run.get_absolute_url()
    assert "Fix and replay them" in text(admin_client.get(url))
    replay = IngestionRun.objects.create(
        source=run.source, parent=run, file_name=run.file_name, trigger="page", state="finished"
    )
    rows = RejectedRow.objects.filter(run=run).order_by("line")
    RejectedRow.objects.filter(pk=rows[0].pk).update(resolved_by=replay)
    html = text(admin_client.get(url))
    assert "1 is open. " in html
    assert "Fix and replay it" in html
    rows.update(resolved_by=replay)
    html = text(admin_client.get(url))
    assert "Repair" not in html
    assert f'replayed by <a href="{replay.get_absolute_url()}">run {replay.pk}</a>' in html
    IngestionRun.objects.filter(pk=run.pk).update(state="undone")
    html = text(admin_client.get(url))
    assert "The run has been undone, so none are open." in html


def test_an_undo_moves_on_the_page_of_its_run(admin_client):
    run = land("shop", {"1": sale(1)})
    undo = Undo.objects.create(run=run, trigger="page")
    html = text(admin_client.get(run.get_absolute_url()))
    assert "The undo is waiting for a worker." in html
    assert "No worker is running." in html
    assert 'hx-trigger="every 1s"' in html
    assert "Undo this run" not in html
    held = {"state": "running", "lease_until": timezone.now() + timedelta(hours=1), "deleted": 7}
    Undo.objects.filter(pk=undo.pk).update(**held)
    part = admin_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})
    assert "This run is being undone.</b> 7 deleted" in text(part)
    Undo.objects.filter(pk=undo.pk).update(state="finished")
    ended = admin_client.get(run.get_absolute_url(), headers={"HX-Request": "true"})
    assert ended["HX-Refresh"] == "true"


@pytest.mark.parametrize("state", ["queued", "running"])
def test_the_button_cancels_a_run(admin_client, source, state):
    for run in (
        waiting_run(source, state=state, lease_until=timezone.now()),
        ProcessingRun.objects.create(source=source, trigger="test", state=state),
    ):
        url = run.get_absolute_url()
        assert f'action="{url}cancel/"' in text(admin_client.get(url))
        assert admin_client.get(f"{url}cancel/").status_code == 405
        answer = admin_client.post(f"{url}cancel/", follow=True)
        assert "What it has done so far is kept." in text(answer)
        run.refresh_from_db()
        assert (run.state, run.lease_until) == ("cancelled", None)
        assert run.finished_at is not None
        assert "cancel/" not in text(admin_client.get(url))


def test_a_run_that_has_ended_stays_as_it_ended(admin_client):
    run = land("shop", {"1": sale(1)})
    answer = admin_client.post(f"{run.get_absolute_url()}cancel/", follow=True)
    assert "The run has already ended." in text(answer)
    run.refresh_from_db()
    assert run.state == "finished"
    assert admin_client.post("/runs/ingestion/999/cancel/").status_code == 404


def test_the_worker_leaves_a_cancelled_run_at_its_next_batch(tmp_path, settings, admin_client):
    settings.BATCH_ROWS = 10
    file = tmp_path / "sales.csv"
    file.write_text("id,value\n" + "".join(f"{n},{n}\n" for n in range(100)))
    run = create_run(path=file, file_name=file.name, trigger="test")

    def cancel(run):
        if run.read == 30:
            admin_client.post(f"{run.get_absolute_url()}cancel/")

    done = work_on(run, "worker", cancel)
    assert done is not None
    assert (done.state, done.read, done.created, done.error) == ("cancelled", 30, 30, "")
    assert DataRecord.objects.count() == 30


def test_what_a_person_cancelled_is_not_processed_again_by_itself(admin_client):
    land("shop", {"1": sale(1)})
    run = ProcessingRun.objects.create(source=Source.objects.get(), trigger="test")
    admin_client.post(f"{run.get_absolute_url()}cancel/")
    before = ProcessingRun.objects.count()
    wake_stalled("processing")
    assert ProcessingRun.objects.count() == before


def test_cancelling_needs_the_permission_to_start(client, source):
    user = viewer("reader")
    client.force_login(user)
    for run, permission in (
        (waiting_run(source), "add_ingestionrun"),
        (ProcessingRun.objects.create(source=source, trigger="test"), "add_processingrun"),
    ):
        url = run.get_absolute_url()
        assert "cancel/" not in text(client.get(url))
        assert client.post(f"{url}cancel/").status_code == 403
        run.refresh_from_db()
        assert run.state == "queued"
        user.user_permissions.add(Permission.objects.get(codename=permission))
        assert "cancel/" in text(client.get(url))
        assert client.post(f"{url}cancel/").status_code == 302


def test_drafts_and_undone_runs_are_told_from_the_others(admin_client, source):
    waiting_run(source, state="draft")
    waiting_run(source, state="undone", read=3, created=3)
    html = text(admin_client.get("/runs/"))
    assert re.findall(r'class="badge badge-(\w+)">', html) == ["undone", "draft"]
    assert "Preview, not imported yet" in html
    assert "undone:" in html


def test_a_run_tells_what_it_replays_its_undoing_and_the_pages_it_fetched(admin_client, source):
    run = waiting_run(
        source, state="undone", pages=[{"url": "https://a.example/?<b>=1", "rows": 1200}]
    )
    replay = waiting_run(source, state="finished", parent=run)
    Undo.objects.create(
        run=run, trigger="page", state="finished", finished_at=timezone.now(), deleted=1500, kept=2
    )
    html = text(admin_client.get(run.get_absolute_url()))
    assert f'<dt>Replayed by</dt><dd><a href="{replay.get_absolute_url()}">' in html
    assert "in the browser: 1,500 deleted, 0 restored, 2 kept" in html
    assert "1 page fetched" in html
    assert "https://a.example/?&lt;b&gt;=1" in html
    assert "1,200 rows" in html
    html = text(admin_client.get(replay.get_absolute_url()))
    assert f'<dt>Replay of</dt><dd><a href="{run.get_absolute_url()}">Run {run.pk}</a>' in html
    for absent in ("Replayed by", "Undone", "fetched"):
        assert absent not in html


def test_a_run_that_waits_without_a_worker_says_so(admin_client, source):
    run = waiting_run(source)
    assert "No worker is running" in text(admin_client.get(run.get_absolute_url()))
    Heartbeat.objects.create(queue="ingestion", seen_at=timezone.now())
    assert "No worker is running" not in text(admin_client.get(run.get_absolute_url()))
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    processing = ProcessingRun.objects.create(source=source, trigger="test")
    assert "No worker is running" in text(admin_client.get(processing.get_absolute_url()))


def test_a_failed_run_shows_its_sentence(admin_client, source):
    run = waiting_run(source, state="failed", error="<b>sales.csv</b> can't be read.")
    html = text(admin_client.get(run.get_absolute_url()))
    assert "&lt;b&gt;sales.csv&lt;/b&gt; can&#x27;t be read." in html


def test_a_run_that_landed_nothing_is_no_success(admin_client):
    def badges(run):
        pages = [text(admin_client.get(url)) for url in (run.get_absolute_url(), "/runs/")]
        first = [tree(html).select(".badge")[0] for html in pages]
        return [(badge["class"][1].removeprefix("badge-"), badge.get_text()) for badge in first]

    all_bad = land("shop", {}, rejects=(Reject(2, b"x", "bad", "Bad."),))
    assert badges(all_bad) == [("warning", "finished, nothing imported")] * 2
    all_bad.refresh_from_db()
    assert all_bad.state == "finished"
    some_bad = land("shop", {"1": sale(1)}, rejects=(Reject(3, b"x", "bad", "Bad."),))
    assert badges(some_bad) == [("finished", "finished")] * 2


def test_a_file_name_is_shown_as_text(admin_client, source):
    run = waiting_run(source, file_name="<script>alert(1)</script>.csv")
    assert "<script>alert" not in text(admin_client.get("/runs/"))
    assert "<script>alert" not in text(admin_client.get(run.get_absolute_url()))


def test_a_processing_run_leads_to_the_failed_records(admin_client):
    land("shop", {"1": sale(1), "2": {"id": "2", "value": ""}})
    run = process_all()
    html = text(admin_client.get(run.get_absolute_url()))
    assert 'href="/explore/?status=failed"' in html
    empty = process_all()
    assert "Nothing to do" in text(admin_client.get(empty.get_absolute_url()))
