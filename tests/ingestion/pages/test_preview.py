"""The preview of a file that was uploaded."""

import gzip
import os
import re
import time
from contextlib import ExitStack
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook
from psutil import Process

from ingestion.loading import dry_runs, previews
from ingestion.parsing import isolated
from ingestion.parsing.inspection import Sizes, header_change
from records.jobs.liveness import beat
from records.jobs.runner import work_on
from records.models import DataRecord, DryRun, Heartbeat, IngestionRun, Source
from tests.factories import WORKER
from tests.hostile import STRINGS, strings, workbook
from tests.markup import texts
from tests.people import viewer
from tests.site import answers

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[2] / "data"
CONTENT = b"id,date,amount,kind\n1,2025-01-02,2.5,tea\n2,2025-01-03,3.5,tea\n3,2025-01-03\n"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


class Page:
    """A preview, as a browser without JavaScript has it."""

    def __init__(self, client, content=CONTENT, name="sales.csv", source="shop"):
        self.client = client
        sent = {"file": SimpleUploadedFile(name, content), "source": source}
        self.url = client.post("/upload/", sent)["Location"]
        self.run = IngestionRun.objects.latest("pk")

    @property
    def html(self):
        return unescape(self.client.get(self.url).content.decode())

    def answers(self):
        """What the form on the page would send."""
        return answers(self.client.get(self.url).content.decode())

    def post(self, do="look", **changed):
        response = self.client.post(self.url, {**self.answers(), "do": do, **changed})
        self.run = IngestionRun.objects.filter(pk=self.run.pk).first() or self.run
        return response

    def look(self):
        """Have the dry run made."""
        return work_on(DryRun.objects.filter(run=self.run).latest("pk"), WORKER)

    def load(self):
        response = self.post("load")
        assert response["Location"] == f"/runs/ingestion/{self.run.pk}/"
        return work_on(self.run, WORKER)


def day_of(record_id: str) -> str:
    return str(DataRecord.objects.get(pk=record_id).timestamp)[:10]


@pytest.fixture
def page(admin_client):
    return Page(admin_client)


def test_it_shows_the_lines_the_rows_and_what_was_found(page):
    html = page.html
    assert "1,2025-01-02,2.5,tea" in html
    assert "<td>2.5</td>" in html
    assert "Detected: <code>comma</code>" in html
    assert page.answers()["id"] == ["id", ""]
    assert page.answers()["value"] == ["amount"]
    assert page.answers()["timestamp_format"] == ["iso"]
    assert "No worker is running" in html
    beat("ingestion")
    assert "No worker is running" not in page.html


def test_the_dry_run_is_told_and_the_button_says_what_loading_does(page):
    page.look()
    html = page.html
    assert "Import 2 rows, 1 needs fixing</button>" in html
    assert "The row has 2 cells, but the header has 4." in html
    assert "Column summary" in html
    run = page.load()
    assert (run.state, run.created, run.rejected) == ("finished", 2, 1)


def test_it_can_be_loaded_without_waiting_for_the_dry_run(page):
    assert "Import without waiting for the preview" in page.html
    assert page.load().created == 2
    assert DryRun.objects.get().state == "cancelled"
    assert page.client.get(page.url)["Location"] == page.run.get_absolute_url()


def test_another_reading_is_parsed_at_once_and_looked_at_anew(admin_client):
    page = Page(admin_client, b"id;value\n1;5.5\n2;6.5\n")
    assert page.post(delimiter="comma").status_code == 302
    assert "<td>1;5.5</td>" in page.html
    assert [dry.state for dry in DryRun.objects.order_by("pk")] == ["cancelled", "queued"]
    page.post(delimiter="")
    assert "<td>5.5</td>" in page.html
    assert page.run.reading == {}
    assert page.answers()["id"] == ["id", ""]


def test_a_reading_that_can_not_be_is_said_beside_what_was_written(page):
    response = page.post(encoding="klingon")
    assert response.status_code == 400
    html = unescape(response.content.decode())
    assert "'klingon' is not a valid encoding" in html
    assert 'value="klingon"' in html
    assert page.run.reading == {}


def test_roles_can_be_changed_and_have_several_columns(page):
    page.post(id=["id", "kind"], value="")
    assert page.answers()["id"] == ["id", "kind", ""]
    run = page.load()
    assert run.mapping["id"] == ["id", "kind"]
    assert run.mapping["value"] == []
    assert DataRecord.objects.filter(pk="shop:1|tea").exists()
    assert Source.objects.get(name="shop").mapping == run.mapping


def test_changing_and_loading_at_once_shows_the_change_first(page):
    response = page.post("load", value="")
    assert "open" in response["Location"]
    assert page.run.state == "draft"
    assert "Check the new preview of changes." in page.html
    assert page.load().mapping["value"] == []


def test_an_encoding_that_is_a_guess_can_be_chosen_by_the_text_that_it_reads(admin_client):
    page = Page(admin_client, "id,name\n1,Łódź\n2,Kraków\n".encode("cp1250"))
    assert "Łódź, Kraków" in page.html
    page.post(guess="cp852")
    assert page.run.reading == {"encoding": "cp852"}


def test_ambiguous_dates_are_asked_for_and_not_guessed(admin_client):
    page = Page(admin_client, b"id,date\n1,03/04/2025\n2,05/06/2025\n")
    page.look()
    html = page.html
    assert "03/04/2025 is 4 March 2025 (%m/%d/%Y)" in html
    assert "03/04/2025 is 3 April 2025 (%d/%m/%Y)" in html
    assert re.search(r'id="load"[^>]* disabled', html)
    assert page.post("load").status_code == 400
    assert page.run.state == "draft"
    page.post(timestamp_format="%d/%m/%Y")
    page.load()
    assert day_of("shop:1") == "2025-04-03"
    # It is remembered, and not asked for again.
    later = Page(admin_client, b"id,date\n3,01/02/2025\n")
    assert later.load().state == "finished"
    assert day_of("shop:3") == "2025-02-01"


def test_a_time_zone_is_chosen_in_the_preview(admin_client):
    page = Page(admin_client, b"id,when,tz\n1,2024-07-01 12:00,PST\n2,2024-07-02 12:00,PST\n")
    assert page.answers()["timestamp_zone_column"] == ["tz"]
    page.post(timestamp_zone_column="")
    assert page.answers()["timestamp_zone_column"] == [""]
    assert page.post(timestamp_zone="Middle/Earth").status_code == 400
    page.post(timestamp_zone="Europe/Vienna")
    assert page.answers()["timestamp_zone"] == ["Europe/Vienna"]
    mapping = page.load().mapping
    assert mapping["timestamp_zone"] == "Europe/Vienna"
    assert "timestamp_zone_column" not in mapping
    assert str(DataRecord.objects.get(pk="shop:1").timestamp)[:16] == "2024-07-01 10:00"


def test_dates_of_an_unknown_format_are_a_warning(admin_client):
    page = Page(admin_client, b"id,x\n1,soon\n2,later\n")
    page.post(timestamp="x")
    page.look()
    html = page.html
    assert "Warning: the dates in 'x' have an unknown format; none was read." in html
    assert html.count("notice-warning") == 2


def test_a_format_of_earlier_files_that_no_longer_fits_is_asked_for(admin_client):
    Page(admin_client, b"id,day\n1,15.01.2024\n").load()
    page = Page(admin_client, b"id,day\n2,2024-01-16\n")
    assert "These dates don't fit the format of earlier files." in page.html
    assert page.post("load").status_code == 400
    page.post(timestamp_format="iso")
    page.load()
    assert day_of("shop:2") == "2024-01-16"


def test_all_of_a_large_file_decides_how_its_dates_are_meant(admin_client, monkeypatch):
    monkeypatch.setattr(previews, "SIZES", Sizes(whole=100, start=100))
    days = [*[b"03/04/2025"] * 20, b"25/03/2025"]
    page = Page(admin_client, b"id,date\n" + b"".join(b"%d,%s\n" % d for d in enumerate(days)))
    assert "or wait for the preview of changes" in page.html
    assert page.answers()["timestamp_format"] == [""]
    before = page.answers()
    assert page.look().report["mapping"]["timestamp_format"] == "%d/%m/%Y"
    assert page.answers()["timestamp_format"] == ["%d/%m/%Y"]
    part = page.client.get(f"{page.url}dry-run/", headers={"HX-Request": "true"})
    assert part["HX-Retarget"] == "#preview"
    # The form as it was made before that changes nothing.
    assert page.client.post(page.url, {**before, "do": "load"})["Location"].startswith("/runs/")
    done = work_on(page.run, WORKER)
    assert done is not None
    assert done.created == 21
    assert day_of("shop:0") == "2025-04-03"


def test_the_dry_run_of_dates_that_nothing_decides_waits_for_the_answer(admin_client):
    page = Page(admin_client, b"id,date\n1,03/04/2025\n2,05/06/2025\n")
    assert "are ambiguous" in page.look().error
    html = page.html
    assert "Choose a date format to preview the whole file." in html
    assert "--timestamp-format" not in html
    page.post(timestamp_format="%d/%m/%Y")
    assert page.look().report["created"] == 2
    assert "Import 2 rows<" in page.html


def test_a_limit_of_rejected_rows_is_kept_with_the_run_and_held_against_the_dry_run(page):
    page.post(max_rejects=" 50 %")
    assert page.answers()["max_rejects"] == ["50%"]
    assert DryRun.objects.count() == 1, "its report would be the same"
    page.look()
    assert "Import 2 rows, 1 needs fixing" in page.html
    page.post(max_rejects="0")
    html = page.html
    assert "1 of 3 rows would be rejected, and the limit is 0" in html
    assert re.search(r'id="load"[^>]* disabled', html)
    assert page.post("load").status_code == 400
    assert page.post("load", max_rejects="50%")["Location"] == f"/runs/ingestion/{page.run.pk}/"
    page.run.refresh_from_db()
    assert page.run.max_rejects == "50%"


def test_a_limit_that_is_none_is_said_beside_what_was_written(page):
    response = page.post(max_rejects="few", delimiter="comma")
    assert response.status_code == 400
    html = unescape(response.content.decode())
    assert "'few' is not a valid reject limit" in html
    assert re.search(r'name="max_rejects" value="few"[^>]*aria-invalid="true"', html)
    page.run.refresh_from_db()
    assert (page.run.max_rejects, page.run.reading) == ("", {})


def test_the_policy_for_known_keys_is_for_the_dry_run_and_the_source(admin_client):
    Page(admin_client).load()
    page = Page(admin_client, CONTENT.replace(b"2.5", b"9.9"))
    assert page.look().report["updated"] == 1
    assert '<td class="reason">9.9</td>' in page.html
    page.post(on_conflict="keep")
    assert page.look().report["updated"] == 0
    page.post("load")
    assert Source.objects.get(name="shop").on_conflict == "keep"


def test_the_settings_are_open_only_if_they_ask_something(admin_client):
    assert '<details class="card settings">' in Page(admin_client).html
    asked = Page(admin_client, b"id,date\n1,03/04/2025\n2,05/06/2025\n")
    assert '<details class="card settings" open>' in asked.html


def test_closed_settings_say_what_was_detected(admin_client):
    (said,) = texts(Page(admin_client).html, ".settings > summary")
    assert "comma-separated · utf-8 · ID: id · Timestamp: date (iso) · Value: amount" in said


def test_rows_that_are_no_data_need_no_fixing(admin_client):
    page = Page(admin_client, CONTENT[:-13] + b"Total: 2 orders\n")
    assert page.look().report["rejected"] == 1
    assert "Import 2 rows</button>" in page.html


def test_the_next_file_with_the_same_header_is_read_like_the_last(admin_client):
    first = Page(admin_client, CONTENT.replace(b",", b"\x01"))
    first.post(delimiter="\\x01")
    first.load()
    page = Page(admin_client, CONTENT.replace(b",", b"\x01") + b"4\x012025-01-04\x011\x01tea\n")
    assert page.run.reading == {"delimiter": "\\x01"}
    assert '<details class="card settings">' in page.html
    page.look()
    assert "Import 3 rows, 1 needs fixing" in page.html


def test_a_changed_header_is_shown_and_a_missing_column_stops_the_loading(admin_client):
    Page(admin_client).load()
    page = Page(admin_client, b"id,date,Amount,note\n1,2025-01-02,2.5,x\n")
    html = page.html
    assert "amount → Amount" in html
    assert "The file has no column “amount” (value), “kind” (category)" in html
    assert re.search(r'id="load"[^>]* disabled', html)
    assert page.post("load").status_code == 400
    page.post(value="Amount", category="")
    assert page.load().state == "finished"


def test_a_name_in_other_letters_is_the_same_column_renamed():
    change = header_change(["id", "store", "b"], ["id", "STORE", "remark", "extra"])
    assert change.renamed == [("store", "STORE")]
    assert (change.added, change.missing) == (["remark", "extra"], ["b"])


def test_the_same_file_is_said_with_its_run(admin_client):
    first = Page(admin_client).load()
    page = Page(admin_client)
    assert re.search(
        rf'already imported in <a href="/runs/ingestion/{first.pk}/">run {first.pk}</a>', page.html
    )
    assert "already imported" not in Page(admin_client, source="other").html


def test_repaired_rows_go_to_the_source_that_they_came_from(admin_client):
    first = Page(admin_client)
    first.post(encoding="utf-8")
    run = first.load()
    header = f"id,date,amount,kind,rejected line (run {run.pk}),rejected reason\n"
    sent = header + "3,2025-01-03,7.5,tea,4,too short\n"
    page = Page(admin_client, sent.encode(), name="repaired.csv", source="")
    assert page.run.source.name == "shop"
    assert page.look().report["created"] == 1
    replay = page.load()
    assert (replay.created, replay.parent) == (1, run)
    assert DataRecord.objects.get(pk="shop:3").line == 4
    assert Source.objects.get(name="shop").reading == {"encoding": "utf-8"}


def test_a_draft_can_be_discarded(page):
    assert page.post("discard")["Location"] == "/upload/"
    assert not IngestionRun.objects.exists()
    assert not Source.objects.exists()


def test_a_discarded_file_is_gone_unless_another_run_refers_to_it(admin_client, settings):
    def kept():
        return [path.name for path in settings.INPUT_DIR.rglob("*") if path.is_file()]

    first, second = Page(admin_client), Page(admin_client, source="other")
    assert len(kept()) == 1
    first.post("discard")
    assert second.look().report["created"] == 2
    second.post("discard")
    assert kept() == []
    assert Page(admin_client).load().created == 2
    Page(admin_client).post("discard")
    assert len(kept()) == 1


def test_a_file_that_is_sent_again_while_it_is_discarded_stays(page):
    path = Path(page.run.path)
    os.utime(path, (time.time() + 60,) * 2)
    page.post("discard")
    assert path.read_bytes() == CONTENT
    assert [kept for kept in path.parent.iterdir() if kept != path] == []


def test_a_dry_run_whose_file_is_discarded_ends_in_silence(page, caplog):
    (dry,) = DryRun.objects.all()

    def discard_meanwhile(*args, **more):
        page.post("discard")
        raise FileNotFoundError(page.run.path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dry_runs, "examine", discard_meanwhile)
        assert work_on(dry, WORKER) is None
    assert [each.levelname for each in caplog.records if each.name == "records.jobs.leases"] == [
        "WARNING"
    ]


def test_a_source_that_is_in_use_outlives_a_discarded_draft(admin_client):
    Page(admin_client).load()
    Page(admin_client).post("discard")
    assert Source.objects.filter(name="shop").exists()


def test_a_file_that_can_not_be_read_can_be_read_otherwise(admin_client):
    page = Page(admin_client, b"odd\0,name\nid,value\n1,2\n")
    assert re.search(r'id="load"[^>]* disabled', page.html)
    page.post(skip="1")
    assert "<td>2</td>" in page.html
    assert page.load().created == 1


def test_a_large_file_is_looked_at_by_its_beginning(admin_client, monkeypatch):
    monkeypatch.setattr(previews, "SIZES", Sizes(whole=100, start=100))
    rows = b"".join(b"%d,%d\n" % (n, n) for n in range(100))
    page = Page(admin_client, b"id,value\n" + rows)
    assert "only its beginning is shown here" in page.html
    assert page.look().report["read"] == 100
    assert "Import 100 rows<" in page.html
    assert page.load().created == 100


def test_hostile_names_and_cells_are_only_text(admin_client):
    evil = '"<script>alert(1)</script>\n",<u>,id\n<i>,"""><img>",1\n'
    page = Page(admin_client, evil.encode(), name="<script>.csv")
    page.post(category="<script>alert(1)</script>\r\n")
    page.look()
    html = page.client.get(page.url).content.decode()
    for tag in ("<script>alert", "<u>", "<i>", "<img>"):
        assert tag not in html
    assert page.load().mapping["category"] == ["<script>alert(1)</script>\n"]


@pytest.mark.parametrize(
    "sent", [{"on_conflict": "x"}, {"timestamp_format": "%Q\0"}, {"encoding": "a\0"}]
)
def test_what_the_page_does_not_offer_is_refused(page, sent):
    assert page.post(**sent).status_code == 400


def test_columns_that_the_page_does_not_offer_are_not_taken(page):
    page.post(id=["nothing\0", "id"])
    assert page.answers()["id"] == ["id", ""]


def test_htmx_gets_the_parts(page):
    htmx = {"HX-Request": "true"}
    part = page.client.get(f"{page.url}dry-run/", headers=htmx).content.decode()
    assert part.startswith('<div id="dry-progress"')
    page.look()
    response = page.client.get(f"{page.url}dry-run/", headers=htmx)
    assert response["HX-Retarget"] == "#dry-run"
    assert "Import 2 rows, 1 needs fixing" in response.content.decode()
    sent = {**page.answers(), "delimiter": "tab"}
    changed = page.client.post(page.url, sent, headers=htmx)
    assert changed.content.decode().lstrip().startswith('<div id="preview"')
    wrong = page.client.post(page.url, {**sent, "encoding": "klingon"}, headers=htmx)
    assert wrong.status_code == 200
    assert "klingon" in wrong.content.decode()
    page.load()
    gone = page.client.get(f"{page.url}dry-run/", headers=htmx)
    assert gone["HX-Redirect"] == page.run.get_absolute_url()


def test_it_needs_the_permission_to_upload(page):
    reader = Client()
    reader.force_login(viewer("reader"))
    for url in (page.url, f"{page.url}dry-run/"):
        assert reader.get(url).status_code == 403
    assert reader.post(page.url, {"do": "discard"}).status_code == 403
    assert page.client.get("/upload/999999/").status_code == 404
    assert page.client.get(f"/upload/{10**30}/").status_code == 404


def test_a_draft_is_listed_among_the_runs_and_leads_to_its_preview(page):
    Heartbeat.objects.all().delete()
    assert f'href="{page.url}"' in page.client.get("/runs/").content.decode()
    assert page.client.get(f"/runs/ingestion/{page.run.pk}/").status_code == 200


def two_sheets() -> bytes:
    book = Workbook()
    first = book.create_sheet("First", 0)
    first.append(["id", "value"])
    first.append([1, 2.5])
    other = book.create_sheet("Other")
    other.append(["id", "amount"])
    other.append([7, 8])
    written = BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "asked", "answer", "rows"),
    [
        ("a.json", b'{"data": {"rows": [{"id": "x", "value": 1}]}}', "rows_path", "data.rows", 1),
        ("a.ndjson", b'{"id": "x", "value": {"a": 1}}\n{"id": "y"}\n', "encoding", "utf-8", 2),
        ("a.xlsx", two_sheets(), "sheet", "Other", 1),
        ("a.csv.gz", gzip.compress(CONTENT, mtime=0), "delimiter", "comma", 2),
    ],
)
def test_other_formats_are_previewed_and_asked_about(
    admin_client, name, content, asked, answer, rows
):
    page = Page(admin_client, content, name=name)
    assert asked in page.answers()
    page.post(**{asked: answer})
    assert page.answers()[asked] == [answer]
    assert page.look().report["created"] == rows
    assert page.load().created == rows


@pytest.mark.parametrize(
    ("setting", "most", "reason"),
    [("PREVIEW_SECONDS", 0.02, "took longer than 0.02 seconds"), ("PREVIEW_BYTES", 1, "of memory")],
)
def test_a_look_that_takes_too_much_is_stopped_and_the_draft_stays(
    page, settings, setting, most, reason
):
    # One whole column of memory is more than it may have; of time, even its beginning.
    content = b"id,amount\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(300_000))
    page = Page(page.client, content, name="large.csv")
    setattr(settings, setting, most)
    response = page.client.get(page.url)
    html = unescape(response.content.decode())
    assert response.status_code == 200
    assert re.search(
        rf"large.csv can't be previewed: the preview was stopped because .*{reason}", html
    )
    assert 'name="delimiter"' in html
    assert page.post("load").status_code == 400
    assert IngestionRun.objects.get(pk=page.run.pk).state == "draft"
    # Asked again, nothing is looked at again.
    setattr(settings, setting, 10**9)
    assert "can't be previewed" in page.html
    # Read otherwise, it is.
    page.post(delimiter="comma")
    assert "can't be previewed" not in page.html
    assert page.post("discard")["Location"] == "/upload/"
    assert not IngestionRun.objects.filter(pk=page.run.pk).exists()


def test_when_others_are_being_looked_at_the_page_says_so_and_changes_nothing(page, monkeypatch):
    answers = page.answers()
    monkeypatch.setattr(previews, "WAITING_SECONDS", 0.01)
    with ExitStack() as taken:
        for _ in range(isolated.AT_ONCE):
            taken.enter_context(isolated._places)
        response = page.client.post(page.url, {**answers, "do": "look", "delimiter": "tab"})
        assert response.status_code == 400
        assert "Try again in a moment" in unescape(response.content.decode())
        assert "Try again in a moment" in page.html
    assert IngestionRun.objects.get(pk=page.run.pk).reading == {}
    assert "Try again" not in page.html


def test_a_hostile_input_costs_the_web_server_neither_memory_nor_threads(page, tmp_path):
    texts = strings(*(b"<si><t>%s%d</t></si>" % (b"x" * 1_000, n) for n in range(100_000)))
    path = workbook(tmp_path / "book.xlsx", {STRINGS: texts})
    page.html  # noqa: B018 - what the first look takes is taken
    before = Process().memory_info().rss
    book = Page(page.client, path.read_bytes(), name="book.xlsx")
    assert "<td>1</td>" in book.html
    # The texts alone take 100 MB.
    assert Process().memory_info().rss - before < 30 << 20


@pytest.mark.parametrize(
    "cell", [b"[" * 5_000 + b"]" * 5_000, b"1" * 5_000], ids=["deep", "digits"]
)
def test_a_cell_of_json_that_python_does_not_read_is_previewed(page, cell):
    page = Page(page.client, b'id;note\n1;{"a":' + cell + b"}\n2;x\n", name="json.csv")
    assert "<td>x</td>" in page.html
    assert page.look().report["created"] == 2


def test_the_page_of_a_very_wide_table_shows_some_of_its_columns(page):
    columns = 5_000
    header = b",".join([*(b"c%d" % n for n in range(columns)), b"amount"])
    content = header + b"\n" + (b",".join([b"1"] * (columns + 1)) + b"\n") * 3
    page = Page(page.client, content, name="wide.csv")
    page.look()
    html = page.html
    assert "Showing the first 100 of 5,001 columns" in html
    assert "the first 500 of 5,001 columns" in html
    # One that plays a role is offered wherever it stands.
    assert page.answers()["value"] == ["amount"]
    assert len(html) < 2_000_000
    assert page.load().created == 3


def test_the_sheets_of_a_workbook_are_offered_and_all_of_them_at_once(admin_client):
    content = (DATA / "months.xls").read_bytes()
    page = Page(admin_client, content, name="months.xls")
    assert '<option value="*"></option><option value="January"></option>' in page.html
    assert "Raw file" not in page.html
    dry = page.look()
    assert any("2 sheets have the same columns" in note for note in dry.report["notes"])
    page.post(sheet="*")
    assert "<td>January</td>" in page.html
    page.look()
    run = page.load()
    assert (run.read, run.created) == (8, 8)
    assert DataRecord.objects.get(pk="shop:201").data["sheet"] == "February"
