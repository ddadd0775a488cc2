"""What an installation holds is for those who may see it only: on the disk, and in browsers."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from dataflow_site.private_files import keep_private
from ingestion.loading import inputs
from tests.installation import Installation
from tests.landed import land, sale


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_an_installation_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs").chmod(0o755)
    folder.chmod(0o755)
    names = ["secret_key", "login.json"]
    with sqlite3.connect(folder / "dataflow.sqlite3") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE IF NOT EXISTS rows (id)")
        database.commit()
        for name in names:
            (folder / name).write_text("a secret of at least as many letters as a key has to have")
        for path in folder.glob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        installation = Installation(folder)
        installation.manage("shell", "-v0", "-c", "pass")
    assert mode(folder) == mode(folder / "inputs") == mode(folder / "tmp") == 0o700
    names += [path.name for path in folder.glob("dataflow.sqlite3*")]
    assert len(names) >= 3
    assert {name: mode(folder / name) for name in names} == dict.fromkeys(names, 0o600)


def test_a_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    previous = os.umask(0)
    try:
        Installation(folder).manage("migrate", "-v0", "auth")
    finally:
        os.umask(previous)
    assert mode(folder) == 0o700
    assert mode(folder / "dataflow.sqlite3") == 0o600


def test_a_folder_that_everybody_shares_stays_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    keep_private(tmp_path)
    assert mode(tmp_path) == 0o777


def test_a_kept_input_is_for_its_owner_only(settings: Any, tmp_path: Path) -> None:
    settings.INPUT_DIR = tmp_path / "inputs"
    kept = inputs.keep_chunks("a.csv", [b"id,value\n1,2\n"])
    assert mode(kept.path) == 0o600
    assert mode(settings.INPUT_DIR) == 0o700


def test_what_killed_processes_left_of_inputs_is_removed_after_a_day(settings, tmp_path) -> None:
    settings.INPUT_DIR = tmp_path
    kept = inputs.keep_chunks("a.csv", [b"id,value\n1,2\n"]).path
    aside = kept.with_name(f"{kept.name}-0123abcd")
    old, new = tmp_path / "tmpold", tmp_path / "tmpnew"
    for path in (aside, old, new):
        path.write_bytes(b"part")
    for path in (kept, aside, old):
        os.utime(path, (1, 1))
    inputs.drop_unfinished()
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted([kept, new])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/", "/explore/", "/runs/", "/sources/", "/records/shop:1", "/records", "/stats", "/export"],
)
def test_no_cache_keeps_pages_and_answers_with_data(path: str) -> None:
    land("shop", {"1": sale(1)})
    user = User.objects.create_superuser("ada")
    api, page = APIClient(), Client()
    for client in (api, page):
        client.force_login(user)
    for answer in (api.get(path), page.get(path)):
        assert "no-store" in answer["Cache-Control"]


def test_static_files_are_kept(client, settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "app.css").write_text("p {}")
    answer = client.get("/static/app.css")
    assert answer.status_code == 200
    assert "no-store" not in answer["Cache-Control"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_going_back_after_a_logout_shows_nothing(browser: Browser, live_server: LiveServer) -> None:
    land("shop", {"needle": sale(1)})
    User.objects.create_superuser("ada", password="a long password")
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.goto("/login/?next=/explore/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "a long password")
    page.click("main button[type=submit]")
    expect(page.get_by_text("needle").first).to_be_visible()
    page.locator("form[action='/logout/'] button").first.evaluate("button => button.click()")
    page.wait_for_url("**/login/**")
    page.go_back()
    page.wait_for_url("**/login/**")
    assert "needle" not in page.content()
    context.close()
