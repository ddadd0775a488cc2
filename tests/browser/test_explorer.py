"""The explorer in a real browser: facets, conditions, columns, and the URL that tells of them."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from explore.export import csv_table, jobs, request, walk
from records.models import Export, IngestionRun
from records.rows import Reject
from tests.browser.test_pages import TOO_WIDE, WIDTHS, check, violations
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RTL = "\u202eevil שלום"


@pytest.fixture
def shop(page: Page) -> Page:
    rows = {str(n): sale(n, city=["Paris", "Rome", "Oslo"][n % 3]) for n in range(90)}
    run = land("shop", rows | {"bad": {"id": "bad", "city": RTL, "a:b": "W" * 300}})
    IngestionRun.objects.filter(pk=run.pk).update(columns=["id", "value", "category", "city"])
    land("depot", {"1": sale(1)})
    process_all()
    return page


def test_the_explorer_is_accessible_however_much_it_shows(shop, complaints):
    urls = [
        "/explore/?facets=1&facet=city&where=id:filled&column=city&column=value&column=a:b",
        "/explore/?source=shop&reason=Data+validation+failed:+'value'+is+missing.",
        "/explore/?where=nonsense",
        "/explore/do/delete?source=shop&where=city:filled",
    ]
    assert [wrong for url in urls for wrong in check(shop, url)] == []
    shop.goto("/explore/?source=shop")
    for summary in shop.locator("details.tool > summary").all():
        summary.click()
    assert violations(shop) == []
    assert [said for said in complaints if "400" not in said] == []


def test_a_facet_narrows_the_list_and_the_url_tells_of_it(shop, complaints):
    shop.goto("/explore/")
    expect(shop.locator("label.check", has_text="toys").locator(".count")).to_have_text("91")
    shop.get_by_role("checkbox", name="shop").check()
    shop.get_by_role("button", name="Filter").click()
    expect(shop.get_by_role("link", name="Source shop")).to_be_visible()
    assert "source=shop" in shop.url
    assert "q=" not in shop.url
    expect(shop.locator("label.check", has_text="toys").locator(".count")).to_have_text("90")
    shop.reload()
    expect(shop.get_by_role("checkbox", name="shop")).to_be_checked()
    shop.get_by_role("link", name="Source shop").click()
    expect(shop.get_by_role("link", name="Source shop")).to_have_count(0)
    shop.go_back()
    expect(shop.get_by_role("checkbox", name="shop")).to_be_checked()
    assert complaints == []


def test_what_is_ticked_and_typed_while_facets_are_counted_stays(shop, complaints):
    counting: list[Route] = []
    shop.route("**/explore/facets*", lambda route: counting.append(route))
    shop.set_viewport_size({"width": 390, "height": 800})
    shop.goto("/explore/?q=toys")
    shop.get_by_text("Filter by value").click()
    shop.get_by_label("Add facet").fill("ci")
    shop.get_by_role("checkbox", name="processing").check()
    shop.get_by_role("checkbox", name="shop").check()
    counting.pop().continue_()
    toys = shop.locator("label.check", has_text="toys")
    expect(toys.locator(".count")).to_have_text("91")
    # No record has this status, so nothing is counted of it.
    expect(shop.get_by_role("checkbox", name="processing")).to_be_checked()
    expect(shop.get_by_role("checkbox", name="shop")).to_be_focused()
    shop.get_by_role("checkbox", name="processing").uncheck()
    expect(shop.get_by_label("Add facet")).to_have_value("ci")
    shop.get_by_role("button", name="Filter").click()
    expect(shop.get_by_role("link", name="Source shop")).to_be_visible()
    assert complaints == []


def test_a_condition_is_added_and_taken_away(shop, complaints):
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Conditions", exact=True).click()
    shop.get_by_label("Column", exact=True).fill("city")
    shop.get_by_label("Value", exact=True).fill("Rome")
    shop.get_by_role("button", name="Add condition").click()
    chip = shop.get_by_role("link", name="city is “Rome”")
    expect(chip).to_be_visible()
    assert shop.url.endswith("where=city%3Aeq%3ARome")
    expect(shop.locator(".records tbody tr")).to_have_count(30)
    chip.click()
    expect(shop.locator(".records tbody tr")).to_have_count(50)
    assert complaints == []


def test_columns_of_choice_are_shown(shop, complaints):
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Columns", exact=True).click()
    shop.get_by_role("group", name="Data columns").get_by_label("city").check()
    shop.get_by_role("button", name="Show columns").click()
    expect(shop.locator(".records thead th.cell")).to_have_text(["city"])
    assert "column=city" in shop.url
    assert complaints == []


def keys(page: Page) -> list[str]:
    """The ids that the list shows."""
    return page.locator(".records th.key").all_text_contents()


def test_all_that_is_asked_for_is_in_the_url(shop, context, complaints):
    """It survives reload and back, and another window shows the same."""
    shop.goto("/explore/")
    fields = {
        "Search": "toys", "From": "2026-03-01", "To": "2026-03-01T13:00", "Min value": "0.5",
        "Max value": "88.5",
    }  # fmt: skip
    for label, value in fields.items():
        shop.get_by_label(label, exact=True).fill(value)
    shop.get_by_label("Sort by").select_option("-id")
    shop.get_by_role("checkbox", name="shop").check()
    shop.get_by_role("checkbox", name="processed").check()
    shop.get_by_role("button", name="Filter").click()
    expect(shop.get_by_role("link", name="Source shop")).to_be_visible()
    shop.get_by_text("Columns", exact=True).click()
    shop.get_by_role("group", name="Data columns").get_by_label("category").check()
    shop.get_by_role("group", name="Result columns").get_by_label("category").check()
    shop.get_by_role("button", name="Show columns").click()
    heads = shop.locator(".records thead th.cell")
    expect(heads).to_have_text(["category", "category result"])
    shop.get_by_role("link", name="Next").click()
    expect(shop.get_by_role("link", name="Previous")).to_be_visible()
    url, shown = shop.url, keys(shop)
    assert len(shown) == 89 - 50

    def is_the_same(page: Page) -> None:
        expect(page.locator(".records th.key")).to_have_text(shown)
        expect(page.locator(".records thead th.cell")).to_have_text(["category", "category result"])
        for label, value in fields.items():
            expect(page.get_by_label(label, exact=True)).to_have_value(value)
        expect(page.get_by_label("Sort by")).to_have_value("-id")
        expect(page.get_by_role("checkbox", name="processed")).to_be_checked()

    shop.reload()
    is_the_same(shop)
    shop.locator(".records th.key a").first.click()
    expect(shop.get_by_role("heading", name="Original data and result")).to_be_visible()
    shop.go_back()
    is_the_same(shop)
    other = context.new_page()
    other.goto(url)
    is_the_same(other)
    shop.go_back()
    expect(shop.locator(".records th.key")).to_have_count(50)
    expect(other.locator("#facets[hx-get]")).to_have_count(0)
    assert complaints == []


def test_the_keyboard_does_it_all(shop, complaints):
    """A filter, columns, a view and an export, without a pointer."""
    shop.emulate_media(reduced_motion="reduce")
    shop.goto("/explore/")

    def tab_to(wanted: Locator) -> None:
        for _ in range(80):
            shop.keyboard.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                outline = wanted.evaluate("element => getComputedStyle(element).outlineStyle")
                assert outline != "none", "It does not show that it has the focus."
                return
        raise AssertionError(f"The keyboard does not reach {wanted}.")

    def open_tool(name: str) -> None:
        tab_to(shop.locator("details.tool > summary", has_text=name))
        shop.keyboard.press("Enter")

    shop.get_by_role("searchbox", name="Search").focus()
    shop.keyboard.type("rome")
    shop.keyboard.press("Enter")
    expect(shop.locator(".records tbody tr")).to_have_count(30)
    open_tool("Columns")
    tab_to(shop.get_by_role("group", name="Data columns").get_by_label("city"))
    shop.keyboard.press("Space")
    tab_to(shop.get_by_role("button", name="Show columns"))
    shop.keyboard.press("Enter")
    expect(shop.locator(".records thead th.cell")).to_have_text(["city"])
    open_tool("Export")
    tab_to(shop.get_by_role("link", name="NDJSON", exact=True))
    with shop.expect_download() as download:
        shop.keyboard.press("Enter")
    lines = download.value.path().read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == keys(shop)
    assert [json.loads(line)["data"] for line in lines] == [{"city": "Rome"}] * 30
    open_tool("Views")
    tab_to(shop.get_by_label("Name", exact=True))
    shop.keyboard.type("Rome")
    shop.keyboard.press("Enter")
    expect(shop.get_by_role("status")).to_contain_text("View “Rome” saved.")
    assert complaints == []


def test_a_long_export_shows_how_far_it_is_and_can_be_stopped(shop, complaints, monkeypatch):
    made = csv_table.content

    def slowly(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        for piece in made(*args, **kwargs):
            time.sleep(0.02)
            yield piece

    monkeypatch.setattr(walk, "CHUNK", 1)
    monkeypatch.setattr(csv_table, "content", slowly)
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Export", exact=True).click()
    link, bar = shop.get_by_role("link", name="CSV", exact=True), shop.get_by_role("progressbar")
    with shop.expect_download() as download:
        link.click()
        expect(bar).to_be_visible()
        expect(shop.get_by_text("of 91 records")).to_be_visible()
    expect(bar).to_be_hidden()
    assert download.value.suggested_filename == "shop.csv"
    assert len(download.value.path().read_text().splitlines()) == 92
    link.click()
    shop.get_by_role("button", name="Cancel").click()
    expect(bar).to_be_hidden()
    assert complaints == []


def test_a_workbook_comes_at_once_and_a_large_one_from_a_page_that_moves(
    shop, complaints, monkeypatch, settings, tmp_path
):
    settings.EXPORT_DIR = tmp_path / "exports"
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Export", exact=True).click()
    button = shop.get_by_role("button", name="XLSX", exact=True)
    with shop.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == "shop.xlsx"
    assert shop.url.endswith("/explore/?source=shop")
    monkeypatch.setattr(request, "MOST_AT_ONCE", 3)
    button.click()
    expect(shop.get_by_text("Waiting for a worker")).to_be_visible()
    assert violations(shop) == []
    export = Export.objects.get()
    jobs.look_at(export.pk)
    link = shop.get_by_role("link", name="Download shop.xlsx")
    expect(link).to_be_visible()
    assert violations(shop) == []
    with shop.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == export.path.read_bytes()
    assert [wrong for url in ("/exports/", shop.url) for wrong in check(shop, url)] == []
    assert complaints == []


def test_unusual_data_stays_readable(page, complaints):
    """Many columns, long cells, text from right to left, emoji: on all that shows them."""
    wide = {"id": "1"} | {f"column {n} " + "W" * (n % 50): f"{n}.5" for n in range(200)}
    long = {"id": "2", "word": "W" * 10_000, "text": "lorem ipsum " * 833}
    world = {"id": "3", "שם": RTL * 20, "emoji 😀": "👩‍👩‍👧‍👦" * 20, "": "مرحبا" * 30}
    rejects = (Reject(5, b"x" * 10_000, "too_few_cells", "Bad."),
               Reject(6, ("😀;" + RTL * 50).encode(), "too_many_cells", "Bad."))  # fmt: skip
    run = land("odd", {"1": wide, "2": long, "3 😀 שלום " + "k" * 200: world}, rejects=rejects)
    process_all()
    urls = [
        "/explore/?facets=1",
        "/explore/?column=word&column=text&result_column=word&result_column=שם&facet=word&facets=1",
        "/explore/?source=odd&q=lorem&result_column=text",
        *(record.get_absolute_url() for record in run.records.all()),
        *(f"/rejected/{row.pk}/" for row in run.rejected_rows.all()),
        "/rejected/",
    ]
    assert [wrong for url in urls for wrong in check(page, url)] == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/admin/records/datarecord/odd_3A2/change/")
        assert not page.evaluate(TOO_WIDE)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/explore/record/odd%3A2")
    summary = page.locator("details.long > summary", has_text="all 10,000 characters").first
    summary.click()
    expect(page.get_by_text("W" * 10_000).first).to_be_visible()
    assert not page.evaluate(TOO_WIDE)
    assert complaints == []


def test_a_view_is_saved_and_opened(shop, complaints):
    shop.goto("/explore/?source=shop&where=city:eq:Rome")
    shop.get_by_text("Views", exact=True).click()
    shop.get_by_label("Name", exact=True).fill("Rome only")
    shop.get_by_role("button", name="Save view").click()
    shop.goto("/explore/")
    shop.get_by_text("Views", exact=True).click()
    assert violations(shop) == []
    shop.get_by_role("link", name="Rome only").click()
    expect(shop.locator(".records tbody tr")).to_have_count(30)
    assert complaints == []
