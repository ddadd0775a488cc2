"""The browsable API, its documentation and the admin in a real browser, under the strict policy."""

from collections.abc import Iterator

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from records import store
from records.models import IngestionRun, ProcessingRun
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of: broken policies, errors of scripts, requests that fail."""
    return []


@pytest.fixture
def page(browser: Browser, live_server, complaints: list[str]) -> Iterator[Page]:
    User.objects.create_superuser("admin", password="a long password")
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.set_default_timeout(10_000)

    def heard(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints.append(f"{said.text} {said.location}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((live_server.url, "data:"))
            else complaints.append(f"left the host: {request.url}")
        ),
    )
    page.on(
        "response",
        lambda response: (
            complaints.append(f"{response.status} {response.url}")
            if response.status >= 400 and "/static/" in response.url
            else None
        ),
    )
    yield page
    context.close()


def log_in(page: Page) -> None:
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()


def some_records() -> None:
    land("shop", {"1": sale(1), "2": {"id": "2"}})
    process_all()
    store.edit_record(record_id="shop:1", data=sale(5), user=None)


def test_the_browsable_api_leads_through_our_login_page_to_every_endpoint(page, complaints):
    some_records()
    page.goto("/api/records?limit=1")
    expect(page.get_by_text("HTTP 401 Unauthorized")).to_be_visible()
    complaints.clear()  # A page that is answered 401 counts as a failed request.
    page.get_by_role("link", name="Log in").click()
    assert "/login/" in page.url
    log_in(page)
    page.wait_for_url("**/api/records?limit=1")
    expect(page.get_by_text("HTTP 200 OK")).to_be_visible()
    page.get_by_role("link", name="cursor=").last.click()  # The first is in the Link header.
    expect(page.locator("pre", has_text="shop:2").first).to_be_visible()
    for path in ("/api/", "/api/stats", "/stats", "/api/records/shop:1", "/records"):
        page.goto(path)
        expect(page.get_by_text("HTTP 200 OK")).to_be_visible()
    assert complaints == []


def test_processing_is_started_from_the_browsable_api(page, complaints):
    page.goto("/login/?next=/api/process")
    log_in(page)
    page.wait_for_url("**/api/process")
    complaints.clear()  # GET is answered 405, with the form below.
    page.get_by_role("link", name="HTML form").click()
    page.locator("#post-object-form input[name=limit]").fill("5")
    page.locator("#post-object-form").get_by_role("button", name="POST").click()
    expect(page.get_by_text("HTTP 202 Accepted")).to_be_visible()
    assert ProcessingRun.objects.get().limit == 5
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    assert complaints == []


def test_the_documentation_shows_each_endpoint_and_tries_it_out(page, complaints):
    page.goto("/login/?next=/api/docs/")
    log_in(page)
    for path in ("/api/v1/health", "/api/v1/records", "/api/v1/stats", "/api/v1/process"):
        expect(page.locator(f'[data-path="{path}"]').first).to_be_visible()
    page.locator('[data-path="/api/v1/stats"]').click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table").get_by_text("total_records").first).to_be_visible()
    assert complaints == []


def test_the_admin_works_under_the_policy(page, complaints):
    some_records()
    page.goto("/login/?next=/admin/")
    log_in(page)
    run = IngestionRun.objects.get().pk
    for path in (
        "/admin/",
        reverse("admin:records_datarecord_changelist"),
        reverse("admin:records_datarecord_change", args=[quote("shop:1")]),
        reverse("admin:records_ingestionrun_change", args=[run]),
        reverse("admin:records_source_changelist"),
        reverse("admin:records_ruleset_add"),
        reverse("admin:accounts_apitoken_changelist"),
        reverse("admin:auth_user_changelist"),
        reverse("admin:django_q_ormq_changelist"),
    ):
        page.goto(path)
        expect(page.locator("#content")).to_be_visible()
    assert complaints == []


def test_selected_records_are_deleted_in_the_admin(page, complaints):
    some_records()
    page.goto("/login/?next=/admin/records/datarecord/")
    log_in(page)
    page.wait_for_url("**/admin/records/datarecord/")
    page.locator("#action-toggle").check()
    expect(page.get_by_text("2 of 2 selected")).to_be_visible()
    page.get_by_label("Action:").select_option("delete_selected")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Successfully deleted 2")).to_be_visible()
    assert complaints == []
