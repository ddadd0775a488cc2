"""A preview in a browser: each change swaps its part, under the hands of who goes on typing."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_pages import draft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEA = b"id;date;value\n1;2025-01-02;2\n2;2025-01-03;3\n"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def draft_with_settings(page: Page) -> None:
    """Upload a file, and open the settings, which the preview of a plain file shows closed."""
    draft(page, TEA)
    page.get_by_role("heading", name="Import settings").click()


@pytest.fixture
def held(page: Page) -> list[Route]:
    """Changes that were sent, and are answered only when the test goes on with them."""
    routes: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            routes.append(route)
        else:
            route.continue_()

    draft_with_settings(page)
    page.route("**/upload/*/", hold)
    return routes


def write(page: Page, label: str, text: str) -> None:
    page.get_by_label(label).fill(text)
    page.keyboard.press("Tab")


def answer(page: Page, held: list[Route]) -> None:
    """Let the answer come to a change that is held, until the page has dealt with it.

    Otherwise the next change would break it off. What the page asks by itself is not a change.
    """
    page.evaluate(
        """() => { window.answer = new Promise((resolve) => document.addEventListener(
            "htmx:afterRequest",
            ({ detail }) => detail.requestConfig.verb === "post" && resolve()
        )); }"""
    )
    held.pop().continue_()
    page.evaluate("() => window.answer")


def first_cell(page: Page, text: str):
    return page.get_by_role("cell", name=text, exact=True)


def test_what_is_typed_while_an_answer_comes_is_not_lost(page, held, complaints):
    with page.expect_request(lambda request: request.method == "POST"):
        write(page, "Delimiter", "comma")
    page.get_by_label("Encoding").focus()
    page.keyboard.type("kling")
    answer(page, held)
    page.keyboard.type("on")
    expect(page.get_by_label("Encoding")).to_have_value("klingon")
    page.unroute_all()
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert")).to_have_text(
        "'klingon' is not a valid encoding: use a name such as utf-8 or cp1252."
    )
    expect(page.get_by_label("Encoding")).to_have_value("klingon")
    expect(page.get_by_label("Encoding")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Delimiter")).to_have_value("comma")
    expect(page.get_by_label("Delimiter")).to_be_focused()
    write(page, "Encoding", "")
    expect(first_cell(page, "1;2025-01-02;2")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert complaints == []


def test_the_answer_is_shown_after_all_when_what_was_typed_is_taken_back(page, held, complaints):
    with page.expect_request(lambda request: request.method == "POST"):
        write(page, "Delimiter", "comma")
    page.get_by_label("Encoding").focus()
    page.keyboard.type("k")
    answer(page, held)
    expect(first_cell(page, "2025-01-02")).to_be_visible()
    page.unroute_all()
    page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    expect(first_cell(page, "1;2025-01-02;2")).to_be_visible()
    assert complaints == []


def test_a_change_in_the_very_moment_an_answer_is_shown_is_sent(page, complaints):
    draft_with_settings(page)
    page.evaluate(
        """() => {
            const change = () => {
                const delimiter = document.querySelector('[name="delimiter"]');
                delimiter.value = "";
                delimiter.dispatchEvent(new Event("change", { bubbles: true }));
            };
            const shown = ({ detail }) => {
                if (detail.requestConfig.verb !== "post") return;
                document.removeEventListener("htmx:afterSwap", shown);
                setTimeout(change);
            };
            document.addEventListener("htmx:afterSwap", shown);
        }"""
    )
    with page.expect_request(lambda request: "delimiter=&" in (request.post_data or "")):
        write(page, "Delimiter", "comma")
    expect(first_cell(page, "2025-01-02")).to_be_visible()
    assert complaints == []


def test_an_answer_that_can_not_be_is_said_after_many_changes(page, complaints):
    draft_with_settings(page)
    for delimiter in ("comma", "", "tab", ""):
        write(page, "Delimiter", delimiter)
        expect(first_cell(page, "2025-01-02")).to_have_count(0 if delimiter else 1)
    write(page, "Encoding", "klingon")
    expect(page.get_by_role("alert")).to_contain_text("'klingon' is not a valid encoding")
    write(page, "Encoding", "")
    expect(page.get_by_role("alert")).to_have_count(0)
    write(page, "Reject limit", "few")
    expect(page.get_by_role("alert")).to_contain_text("'few' is not a valid reject limit")
    write(page, "Reject limit", "2%")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert complaints == []
