"""Markup in data and names is shown as text: on no page of a real browser does it do anything."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Page, expect

from accounts.models import ApiToken, TokenScope
from accounts.tokens.manage import create_token
from records import store
from records.models import (
    Dashboard,
    DataRecord,
    IngestionRun,
    RejectedRow,
    SavedQuestion,
    SavedView,
    Source,
)
from tests.factories import load, process

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "</script><script>alert(4)</script>",
)
ALL = "".join(MARKUP)
PATIENCE = 30_000
# What would stand in the tree of a page if markup had become part of it.
PLANTED = "img[onerror], svg[onload], script:not([src]):not([type='application/json'])"


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", password="a long password", first_name=ALL[:100])


@pytest.fixture
def dialogs() -> list[str]:
    return []


@pytest.fixture
def complaints() -> list[str]:
    """What the policy of contents had to stop, and errors of scripts."""
    return []


@pytest.fixture
def page(
    browser: Browser, live_server, client: Client, admin: User, dialogs: list[str],
    complaints: list[str],
) -> Iterator[Page]:  # fmt: skip
    client.force_login(admin)
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(PATIENCE)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@pytest.fixture
def run(admin: User, tmp_path: Path, settings) -> IngestionRun:
    """Records and a rejected row with markup wherever a file can have it."""
    settings.INPUT_DIR = tmp_path / "inputs"
    file = tmp_path / (ALL.replace("/", "\N{DIVISION SLASH}") + ".csv")
    header = ",".join(["id", "value", "category", quoted(ALL)])
    rows = [
        ",".join([quoted(f"{number} {MARKUP[number % 4]}"), "1", *[quoted(MARKUP[number % 4])] * 2])
        for number in range(12)
    ]
    rows += [f"{quoted(ALL)},{quoted(ALL)},{quoted(ALL)},", f"1,2,3,4,{quoted(ALL)}"]
    file.write_text("\n".join([header, *rows, ""]))
    made = load(file, "shop", id=["id"], value=["value"], category=["category"])
    assert made.error == ""
    store.save_rule_set(
        source=Source.objects.get(name="shop"),
        rules=[
            {"rule": "range", "column": ALL, "min": 1},
            {"rule": "required", "columns": ["value"]},
        ],
        note=ALL,
        author=admin,
    )
    process()
    SavedView.objects.create(user=admin, name=ALL[:100], query="q=x")
    question = SavedQuestion.objects.create(owner=admin, name=ALL[:100], query="by=record:source")
    Dashboard.objects.create(
        owner=admin,
        name=ALL[:100],
        tiles=[{"width": 1, "question": question.pk}, {"width": 3, "text": ALL}],
    )
    create_token(owner=admin, name=ALL[:100], scope=TokenScope.READ)
    return made


def preview(client: Client, tmp_path: Path) -> str:
    """The path of the preview of a file with markup."""
    content = f"id,{quoted(ALL)}\n1,{quoted(ALL)}\n2,x,{quoted(ALL)}\n".encode()
    answer = client.post("/upload/", {"file": SimpleUploadedFile(f"{MARKUP[1]}.csv", content)})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def addresses(run: IngestionRun) -> list[str]:
    record = DataRecord.objects.exclude(status="processed").first() or DataRecord.objects.first()
    rejected = RejectedRow.objects.first()
    token = ApiToken.objects.get()
    assert record is not None
    assert rejected is not None
    return [
        "/explore/",
        f"/explore/?q={quote(ALL)}",
        f"/explore/?category={quote(MARKUP[2])}&sort={quote(ALL)}",
        record.get_absolute_url(),
        run.get_absolute_url(),
        SavedQuestion.objects.get().get_absolute_url(),
        "/questions/saved/",
        f"/questions/saved/{SavedQuestion.objects.get().pk}/",
        "/dashboards/",
        Dashboard.objects.get().get_absolute_url(),
        f"{Dashboard.objects.get().get_absolute_url()}edit/",
        "/runs/",
        "/rejected/",
        f"/rejected/{rejected.pk}/",
        "/sources/shop/",
        "/sources/shop/rules/",
        "/sources/shop/settings/",
        "/settings/people/",
        "/account/tokens/",
        "/settings/audit/",
        "/admin/records/datarecord/",
        reverse("admin:records_savedview_changelist"),
        reverse("admin:accounts_apitoken_change", args=[token.pk]),
        f"/api/records?format=api&q={quote(ALL)}",
        "/api/docs/",
        f"/no/such/page/{quote(ALL)}",
    ]


def test_markup_is_text_on_every_page(page, client, run, tmp_path, dialogs, complaints):
    planted = []

    def visit(path: str) -> None:
        page.goto(path)
        if found := page.locator(PLANTED).count():
            planted.append((path, found))

    visit("/?source=shop")
    figures = page.locator("[data-chart]:has(.drawing)")
    expect(figures.locator(".drawing svg").first).to_be_visible()
    expect(figures.locator(".drawing svg")).to_have_count(figures.count())
    marks = page.locator("#chart-by-category .drawing :is(.mark-rect, .mark-symbol) path")
    marks.first.hover()
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("alert(")
    assert page.locator(PLANTED).count() == 0
    for path in [*addresses(run), preview(client, tmp_path)]:
        visit(path)
    assert planted == []
    assert dialogs == []
    # Pages that are not there and filters that make no sense are answered by 4xx, as they should.
    assert [
        said for said in complaints if "the server responded with a status of 4" not in said
    ] == []


@pytest.mark.parametrize("name", MARKUP)
def test_no_source_is_named_by_markup(client, admin, name):
    client.force_login(admin)
    file = SimpleUploadedFile("rows.csv", b"id,value\n1,2\n")
    assert client.post("/upload/", {"file": file, "source": name}).status_code == 400
    answer = client.post(
        f"/api/v1/ingest?source={quote(name)}", b"id\n1\n", content_type="text/csv"
    )
    assert answer.status_code == 400
    assert not Source.objects.exists()
