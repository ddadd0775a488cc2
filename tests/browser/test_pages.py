"""Every page in a real browser: accessible, under the strict policy, from phone to wide screen."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from records import store
from records.jobs.runner import work_on
from records.models import DryRun, Heartbeat, IngestionRun, ProcessingRun, Source
from records.rows import Reject
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVIL = "<script>alert(1)</script>"
LONG = "W" * 100
RTL = "\u202eevil שלום"
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
# A phone, a tablet, a desk, a large screen.
WIDTHS = (320, 800, 1366, 2560)

TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# What hides a part of itself and can't be scrolled.
CUT_OFF = """[...document.querySelectorAll("main *")]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "hidden")
    .map(e => e.outerHTML.slice(0, 100))"""


@pytest.fixture
def urls(context: BrowserContext) -> list[str]:
    """A page of each kind, with something on it of everything that it can show."""
    rows = {str(i): sale(i, category=f"Kind {i % 20}", note="word " * 60) for i in range(120)}
    rows |= {"bad": sale(1, value="bad"), "none": {"id": "none", "value": ""}, EVIL: {EVIL: EVIL}}
    rejects = tuple(Reject(i, b"a;b\x00" * 40, "too_few_cells", "Bad.") for i in range(60))
    run = land("shop", rows, rejects=rejects)
    IngestionRun.objects.filter(pk=run.pk).update(
        notes=["A note."], columns=["id", "value", "category", "note"], file_name="x" * 200 + ".csv"
    )
    land("depot", {"1": sale(1)}, timestamp=None)
    long_run = land(LONG, {"1": sale(1), RTL: sale(2, category=RTL, note=RTL)})
    lost = land("lost", {}, rejects=rejects[:1])
    processing = process_all()
    store.edit_record(record_id="shop:1", data=sale(1, note="edited"), user=None)
    shop = Source.objects.get(name="shop")
    waiting = IngestionRun.objects.create(
        source=shop, file_name="a" * 150, trigger="upload", size=9
    )
    failed = IngestionRun.objects.create(
        source=shop, file_name="b.csv", trigger="upload", state="failed", error="It can't be read."
    )
    return [
        "/",
        "/?source=shop&range=30d&repaired=1",
        "/explore/",
        "/explore/?source=shop&status=processed",
        "/explore/?q=nothing-like-this",
        "/explore/record/shop%3A1",
        "/explore/record/shop%3Abad",
        "/explore/record/shop%3Anone",
        "/runs/",
        run.get_absolute_url(),
        waiting.get_absolute_url(),
        failed.get_absolute_url(),
        processing.get_absolute_url(),
        "/sources/",
        "/sources/shop/",
        f"/?source={LONG}",
        "/?source=lost",
        f"/explore/?source={LONG}",
        f"/explore/record/{LONG}%3A1",
        f"/runs/?source={LONG}",
        f"/sources/{LONG}/",
        long_run.get_absolute_url(),
        lost.get_absolute_url(),
        "/upload/",
        "/rejected/",
        f"/rejected/?run={run.pk}",
        f"/rejected/{run.rejected_rows.earliest('pk').pk}/",
        f"/runs/ingestion/{run.pk}/undo/",
        "/settings/operations/",
    ]


EMPTY = ["/", "/explore/", "/runs/", "/sources/", "/upload/", "/rejected/", "/settings/operations/"]


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found
        for node in v["nodes"]
    ]


def check(page: Page, url: str) -> list[str]:
    """What is wrong with a page at any width, in either scheme."""
    wrong = []
    page.goto(url)
    settle(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        wrong += [f"{url} {scheme} {found}" for found in violations(page)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(TOO_WIDE):
            wrong.append(f"{url} is wider than {width} pixels")
        wrong += [f"{url} cuts off at {width} pixels: {cut}" for cut in page.evaluate(CUT_OFF)]
    return wrong


def settle(page: Page) -> None:
    """Wait for the charts, if there are any."""
    figures = page.locator("[data-chart]:has(.drawing)")
    expect(figures.locator(".drawing svg")).to_have_count(figures.count())


def test_pages_with_records(page, urls, complaints):
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []


def test_pages_of_an_empty_installation(page, complaints):
    assert [found for url in EMPTY for found in check(page, url)] == []
    assert complaints == []


def test_login_and_error_pages(page, context):
    wrong = [found for url in ("/no/such/page", "/?range=x") for found in check(page, url)]
    context.clear_cookies()
    wrong += check(page, "/login/")
    assert wrong == []


def test_charts_are_drawn_again_in_the_colours_of_the_scheme(page, urls, complaints):
    def colour() -> str:
        return page.locator(
            "[aria-labelledby=over-time-title] .role-axis text"
        ).first.get_attribute("fill")

    page.emulate_media(color_scheme="light")
    page.goto("/?source=shop")
    settle(page)
    light = colour()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => document.querySelector('[aria-labelledby=over-time-title] .role-axis text')"
        "?.getAttribute('fill') !== light",
        arg=light,
    )
    assert colour() != light
    assert complaints == []


def test_every_chart_draws_its_bars_and_tells_them_to_a_pointer(page, urls, complaints):
    page.goto("/?source=shop")
    settle(page)
    for name in ("over-time", "distribution", "failures", "by-category", "mean-by-category"):
        bars = page.locator(f"[aria-labelledby={name}-title] .mark-rect path")
        sizes = [bar.bounding_box() for bar in bars.all()]
        assert any(size and size["width"] > 1 and size["height"] > 1 for size in sizes), name
        largest = max(range(len(sizes)), key=lambda i: sizes[i]["width"] * sizes[i]["height"])
        bars.nth(largest).scroll_into_view_if_needed()
        bars.nth(largest).hover(force=True)
        expect(page.locator("#vg-tooltip-element")).to_be_visible()
    assert complaints == []


def test_numbers_are_open_where_no_chart_can_be_drawn(browser, live_server, context, urls):
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = plain.new_page()
    page.goto("/?source=shop")
    expect(page.get_by_role("table").first).to_be_visible()
    page.get_by_label("Source", exact=True).select_option("depot")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?source=depot"))
    plain.close()


def test_the_cells_of_the_explorer_fit_a_small_desk(page, urls):
    page.set_viewport_size({"width": 1366, "height": 800})
    page.goto("/explore/?source=shop&q=Kind")
    value = page.locator("td.cell.number").first
    expect(value).to_have_css("text-align", "right")
    table = page.get_by_role("region", name="Table of records")
    assert table.evaluate("region => region.scrollWidth - region.clientWidth") <= 0


def test_filtering_swaps_the_list_and_the_address(page, urls, complaints):
    page.goto("/explore/")
    page.locator("input[name=status][value=failed]").check()
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#records tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile("status=failed"))
    page.go_back()
    expect(page.locator("#records tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    expect(page).to_have_url(re.compile("cursor="))
    assert complaints == []


def test_a_run_is_watched_until_it_ends(page, urls, complaints):
    shop = Source.objects.get(name="shop")
    run = IngestionRun.objects.create(
        source=shop, file_name="c.csv", trigger="upload", state="running", size=100, bytes_read=10
    )
    page.goto(run.get_absolute_url())
    expect(page.get_by_text("No worker is running")).to_be_visible()
    IngestionRun.objects.filter(pk=run.pk).update(bytes_read=60, read=5, created=5)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60.0")
    IngestionRun.objects.filter(pk=run.pk).update(state="finished")
    expect(page.get_by_text("finished")).to_be_visible()
    expect(page.get_by_role("link", name="Show records")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert complaints == []


def test_an_upload_is_previewed_loaded_and_found_in_the_explorer(
    page, complaints, tmp_path, settings
):
    settings.INPUT_DIR = tmp_path / "inputs"
    page.goto("/upload/")
    file = {"name": "tea.csv", "mimeType": "text/csv", "buffer": b"id,value\n1,2\n2,x\n3\n"}
    page.get_by_label("Drop a file here or choose one").set_input_files(file)
    expect(page.get_by_text("tea.csv, 19 bytes")).to_be_visible()
    page.get_by_role("button", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/upload/\d+/$"))
    expect(
        page.get_by_role("button", name="Import without waiting for the preview")
    ).to_be_visible()
    work_on(DryRun.objects.latest("pk"), "tests")
    page.get_by_role("button", name="Import 2 rows, 1 needs fixing").click()
    expect(page).to_have_url(re.compile(r"/runs/ingestion/\d+/$"))
    work_on(IngestionRun.objects.get(), "tests")
    expect(page.get_by_text("1 row rejected.")).to_be_visible()
    page.get_by_role("link", name="Show records").click()
    expect(page.locator("#records tbody tr")).to_have_count(2)
    assert complaints == []


def draft(page: Page, content: bytes, name: str = "tea.csv") -> str:
    """Upload a file; the URL of its preview."""
    page.goto("/upload/")
    file = page.get_by_label("Drop a file here or choose one")
    file.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/upload/\d+/$"), timeout=30_000)
    return page.url


def test_a_preview_parses_anew_at_each_change(page, complaints, tmp_path, settings):
    settings.INPUT_DIR = tmp_path / "inputs"
    draft(page, b"id;date;value\n1;03/04/2025;2\n2;05/06/2025;3\n")
    load = page.locator("#load")
    expect(load).to_be_disabled()
    page.get_by_label("Date format").select_option("%d/%m/%Y")
    expect(load).to_be_enabled()
    page.get_by_label("Delimiter").fill("comma")
    page.get_by_label("Delimiter").press("Tab")
    expect(page.get_by_role("cell", name="1;03/04/2025;2")).to_be_visible()
    expect(page.get_by_label("Quote")).to_be_focused()
    page.get_by_label("Delimiter").fill("")
    page.get_by_label("Delimiter").press("Tab")
    expect(page.get_by_role("cell", name="03/04/2025", exact=True)).to_be_visible()
    assert complaints == []


def test_previews_of_all_kinds(page, complaints, tmp_path, settings):
    settings.INPUT_DIR = tmp_path / "inputs"
    table = "".join(f"{n},2025-01-{n % 28 + 1:02},{n}.5,k{n % 3}\n" for n in range(200))
    first = ("id,date,amount,kind\n" + table).encode()
    url = draft(page, first)
    assert check(page, url) == []
    assert check(page, f"{url}?open") == []
    # The page asks again and again how the run stands, and would lock its table.
    page.goto("about:blank")
    run = IngestionRun.objects.latest("pk")
    IngestionRun.objects.filter(pk=run.pk).update(state="queued")
    work_on(run, "tests")
    evil = f"id,date,Amount,note,{EVIL},{LONG}\n1,2025-01-02,{LONG},{RTL},\0,\n2\n" + "x" * 900
    urls = [
        draft(page, first.replace(b".5", b".7") + b'201,x\n"a'),
        draft(page, evil.encode()),
        draft(page, b'"open\n'),
        draft(page, b"id,date\n1,03/04/2025\n", "other.csv"),
    ]
    for dry in list(DryRun.objects.filter(state="queued"))[1:]:
        work_on(dry, "tests")
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []


def test_an_upload_that_is_refused_says_why_and_keeps_the_form(page, tmp_path, settings):
    settings.INPUT_DIR = tmp_path / "inputs"
    page.goto("/upload/")
    file = {"name": "tea.csv", "mimeType": "text/csv", "buffer": b"id\n1\n"}
    page.get_by_label("Drop a file here or choose one").set_input_files(file)
    page.get_by_label("Source").fill("no name")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("A name must start with a letter or digit")
    expect(page.get_by_label("Source")).to_have_value("no name")


def test_processing_is_started_from_the_page_of_a_source(page, urls, complaints):
    Heartbeat.objects.all().delete()
    page.goto("/sources/shop/")
    page.get_by_role("button", name="Process now").click()
    expect(page.get_by_role("status").first).to_contain_text("Processing queued.")
    assert ProcessingRun.objects.filter(trigger="page").count() == 1
    assert complaints == []


def test_the_keyboard_reaches_the_content_and_the_menu(page, urls, context: BrowserContext):
    page.goto("/sources/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".account summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page).to_have_url(re.compile("/login/"))
