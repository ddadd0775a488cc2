"""Logging in, and giving an application access, in a real browser."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accounts.people import PASSWORD, code_of, person
from tests.accounts.provider import running
from tests.accounts.test_oauth import asked, client_of, exchange, records
from tests.accounts.test_openid_connect import configure
from tests.apis import Reply, serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of."""
    return []


@pytest.fixture
def page(browser: Browser, live_server, complaints: list[str]) -> Iterator[Page]:
    person("ada")
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def log_in(page: Page) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.locator(".account summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/**")


def to_second_factor(page: Page, link: str) -> None:
    """By the menu and the pages, as a person does."""
    page.locator(".account summary").click()
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name=link).click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_an_app_is_set_up_and_asked_for(page, complaints):
    log_in(page)
    to_second_factor(page, "Set up an app")
    expect(page.get_by_alt_text("QR code")).to_have_js_property("complete", True)
    secret = page.locator("main code").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    log_out(page)
    log_in(page)
    page.get_by_label("Code").fill(code_of(secret, 1))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert complaints == []


def test_a_passkey_is_added_and_logs_in_with_and_without_the_password(page, complaints):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    log_in(page)
    to_second_factor(page, "Add a passkey")
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Log in with this passkey alone").check()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_role("rowheader", name="My laptop")).to_be_visible()

    log_out(page)
    log_in(page)
    page.wait_for_url("**/login/second-factor/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert complaints == []


def test_a_person_logs_in_with_a_provider(page, complaints, settings):
    with running() as provider:
        configure(settings, provider.url)
        page.goto("/login/?next=/runs/")
        page.get_by_role("link", name="Log in with Example Login").click()
        expect(page).to_have_title("Provider")
        page.get_by_role("link", name="Log in as Grace").click()
        page.wait_for_url("**/runs/")
        expect(page.locator(".account .name")).to_have_text("grace")
        expect(page.get_by_text("Your account has no role yet.")).to_be_visible()
    # The page says so with the status 403.
    assert [said for said in complaints if "403" not in said] == []


def test_a_person_gives_an_application_access_and_takes_it_back(page, complaints, live_server):
    with serving(lambda _: Reply(b"Welcome back", headers={"Content-Type": "text/html"})) as app:
        back = f"{app.url}/callback"
        client, _ = client_of(redirect_uris=(back,))
        log_in(page)
        page.goto("/oauth/authorize?" + urlencode(asked(client, redirect_uri=back)))
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_text("Welcome back")).to_be_visible()
        (answer,) = [asked for asked in app.requests if asked.path == "/callback"]
    assert answer.query["state"] == "xyz"
    given = exchange(live_server.url, client, answer.query["code"], redirect_uri=back).json()
    assert records(live_server.url, given["access_token"]).status_code == 200
    page.goto("/")
    page.locator(".account summary").click()
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("button", name="End the access of Report").click()
    expect(page.get_by_text("No application has access.")).to_be_visible()
    assert records(live_server.url, given["access_token"]).status_code == 401
    assert complaints == []
