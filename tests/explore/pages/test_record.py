"""The page of a record."""

import json

import pytest

from explore.explorer.table import ComparedCell
from records import store
from records.models import DataRecord
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def page(client, record_id):
    response = client.get(DataRecord(id=record_id).get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def test_the_row_stands_beside_its_result_with_changes_marked(admin_client):
    run = land("shop", {"1": {"id": "1", "value": "bad", "category": " Toys "}})
    process_all()
    html = page(admin_client, "shop:1")
    assert '<td class="raw">bad</td>' in html
    assert 'mark-repaired">repaired' in html
    assert "changed</span>" in html
    assert "added</span>" in html
    assert f'href="/runs/ingestion/{run.pk}/"' in html
    assert run.file_name in html


def test_a_value_that_reads_the_same_is_not_marked(admin_client):
    land("shop", {"1": {"id": "1", "value": "100.5", "category": "toys"}})
    process_all()
    assert "changed</span>" not in page(admin_client, "shop:1")


def test_a_failed_record_says_why(admin_client):
    land("shop", {"1": {"id": "1", "value": ""}})
    process_all()
    html = page(admin_client, "shop:1")
    assert "Data validation failed" in html
    assert "is missing" in html


def test_a_record_without_a_result_says_that_it_waits(admin_client):
    land("shop", {"1": sale(1)})
    assert "has not been processed yet" in page(admin_client, "shop:1")


def test_the_page_shows_the_history_with_earlier_versions_and_results(admin_client, admin_user):
    land("shop", {"1": sale(1, note="first wording", value="bad")})
    process_all()
    store.edit_record(record_id="shop:1", data=sale(1, note="second wording"), user=admin_user)
    html = page(admin_client, "shop:1")
    told = html[html.index(">History<") :]
    places = [
        told.index(words)
        for words in (
            "Imported from line 2 of rows.csv",
            "first wording",
            "Processed with rules version 1",
            "Rule 2: ",
            "repaired",
            "Rule 3: ",
            "Edited by admin",
            "second wording",
            "Waiting to be processed again",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("key", ["a/b", "a/../b", "with\nline", "?x=1#y", "%2F", "ä ö", " "])
def test_every_id_has_a_page(admin_client, key):
    land("shop", {key: sale(1)})
    assert "Original data" in page(admin_client, f"shop:{key}")


@pytest.mark.parametrize("path", ["nothing", "shop:%00", "a%0Ab"])
def test_an_unknown_id_is_a_404(admin_client, path):
    assert admin_client.get(f"/explore/record/{path}").status_code == 404


def test_cells_columns_and_ids_are_shown_as_text(admin_client):
    evil = "<script>alert(1)</script>"
    land(evil.replace("<", "").replace(">", "").replace("/", "").replace("(1)", ""), {})
    land("shop", {evil: {evil: evil, "id": evil, "value": evil}})
    process_all()
    html = page(admin_client, f"shop:{evil}")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_long_name_of_a_column_may_be_broken_between_its_words(admin_client):
    land("shop", {"1": sale(1) | {"a_<b>": "1"}})
    process_all()
    html = page(admin_client, "shop:1")
    assert '<th scope="row">processed_<wbr>timestamp</th>' in html
    assert '<th scope="row">a_<wbr>&lt;b&gt;</th>' in html


def test_control_and_direction_characters_can_be_seen(admin_client):
    land("shop", {"1": {"note": "a\u202eb\x01c\td"}})
    html = page(admin_client, "shop:1")
    assert "a[U+202E]b[U+0001]c⇥d" in html


def test_cells_that_are_no_text_are_shown_as_json(admin_client, admin_user):
    land("shop", {"1": sale(1)})
    data = {"list": [1, "two", None], "flag": True}
    store.edit_record(record_id="shop:1", data=data, user=admin_user)
    html = page(admin_client, "shop:1")
    assert json.dumps(data["list"]).replace('"', "&quot;") in html
    assert "true" in html


def test_a_long_cell_is_opened_to_be_read_whole(admin_client):
    land("shop", {"1": sale(1, note="é" * 10_000, short="brief")})
    process_all()
    html = admin_client.get("/explore/record/shop%3A1").content.decode()
    assert html.count("<small>all 10,000 characters</small>") >= 2
    assert "é" * 10_000 in html
    assert "more characters" not in html
    assert '<td class="raw">brief' in html


@pytest.mark.parametrize(
    ("before", "after", "is_changed"),
    [
        ("0", 0.0, False),
        ("100.50", 100.5, False),
        ("1e3", 1000.0, False),
        ("Toys", "Toys", False),
        ("Toys", "toys", True),
        ("007", 7.0, True),
        (" 7", 7.0, True),
        ("12345678901234567890", 1.2345678901234567e19, True),
        ("1", True, True),
        ("bad", 0.0, True),
        ("", None, True),
        (5, 5.0, False),
    ],
)
def test_the_same_number_in_other_digits_is_no_change(before, after, is_changed):
    cell = ComparedCell("c", before=before, after=after, is_read=True, is_in_result=True)
    assert cell.is_changed is is_changed
