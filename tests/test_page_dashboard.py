"""The dashboard."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from records.models import RecordCount, Source
from tests.landed import NOON, land, process_all, sale

pytestmark = pytest.mark.django_db


def page(client, query=""):
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def tiles(html):
    found = re.findall(r"<dt>([^<]+)</dt><dd>(?:<[^>]+>)*([^<]+)<", html)
    return {name: text.strip() for name, text in found}


def chart(html, name):
    figure = html.split(f'aria-labelledby="{name}-title"')[1].split("</figure>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", figure, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in rows]
    return figure, [[unescape(cell) for cell in row] for row in cells]


def spec(figure):
    text = re.search(r'<script type="application/json">(.*?)</script>', figure, re.DOTALL)
    assert text
    return json.loads(text.group(1))


def test_an_empty_installation_is_invited_to_upload(admin_client):
    html = page(admin_client)
    assert "No records yet" in html
    assert 'href="/upload/"' in html
    assert "<figure" not in html


def test_totals_agree_with_what_landed(admin_client):
    land("shop", {str(i): sale(i) for i in range(1234)} | {"bad": {"id": "bad", "value": ""}})
    process_all()
    land("other", {"1": sale(1)})
    assert tiles(page(admin_client)) == {
        "Records": "1,236",
        "Processed": "1,234",
        "Failed": "1",
        "Waiting": "1",
        "Success rate": "99.9%",
    }
    assert tiles(page(admin_client, "?source=other"))["Records"] == "1"


def test_every_chart_has_the_table_of_its_numbers(admin_client):
    land("shop", {"1": sale(1), "2": sale(2, category="Tea"), "3": {"id": "3", "value": ""}})
    process_all()
    html = page(admin_client)
    assert chart(html, "over-time")[1] == [
        ["Day of", "Processed", "Failed", "Waiting"],
        ["2026-03-01", "2", "1", "0"],
    ]
    assert chart(html, "by-category")[1][1:] == [["tea", "1"], ["toys", "1"]]
    assert chart(html, "mean-by-category")[1][1:] == [["tea", "2.5"], ["toys", "1.5"]]
    assert chart(html, "failures")[1][1][1] == "1"
    for name in ("over-time", "by-category", "mean-by-category", "distribution", "failures"):
        assert spec(chart(html, name)[0])["$schema"].startswith("https://vega.github.io/")


def test_several_sources_are_compared_and_values_are_those_of_the_largest(admin_client):
    land("large", {str(i): sale(i) for i in range(3)})
    land("small", {"1": sale(1)})
    process_all()
    html = page(admin_client)
    assert chart(html, "by-source")[1][1:] == [["large", "3", "0", "0"], ["small", "1", "0", "0"]]
    assert "<small>large</small>" in chart(html, "distribution")[0]
    assert "by-source" not in page(admin_client, "?source=small")


def test_records_without_a_timestamp_are_told_in_words(admin_client):
    land("shop", {"1": sale(1), "2": sale(2)}, timestamp=None)
    assert "2 records without a timestamp" in page(admin_client)


def test_repaired_values_are_left_out_unless_asked_for(admin_client):
    land("shop", {"1": sale(1), "2": sale(2, value="bad")})
    process_all()
    html = page(admin_client)
    assert "1 value was repaired and is left out." in html
    assert chart(html, "mean-by-category")[1][1] == ["toys", "1.5"]
    html = page(admin_client, "?repaired=1")
    assert "left out" not in chart(html, "mean-by-category")[0]
    assert chart(html, "mean-by-category")[1][1] == ["toys", "0.75"]


def test_a_range_counts_back_from_the_newest_record(admin_client):
    land("shop", {"1": sale(1)}, timestamp=NOON)
    land("shop", {"2": sale(2)}, timestamp=NOON - timedelta(days=6))
    land("shop", {"3": sale(3)}, timestamp=NOON - timedelta(days=7))
    land("shop", {"4": sale(4)}, timestamp=None)
    process_all()
    html = page(admin_client, "?range=7d")
    assert (
        "Records dated 23 Feb 2026 to 1 Mar 2026; 1 without a timestamp is not among them." in html
    )
    assert tiles(html)["Records"] == "2"
    assert sum(int(row[1]) for row in chart(html, "by-category")[1][1:]) == 2
    assert tiles(page(admin_client, "?range=30d"))["Records"] == "3"
    assert tiles(page(admin_client, "?range=all"))["Records"] == "4"


def test_a_record_dated_in_the_future_does_not_move_the_range(admin_client):
    today = timezone.now().replace(hour=12)
    land("shop", {"1": sale(1)}, timestamp=today)
    land("shop", {"2": sale(2)}, timestamp=datetime(9999, 1, 1, tzinfo=UTC))
    assert tiles(page(admin_client, "?range=30d"))["Records"] == "1"
    assert tiles(page(admin_client))["Records"] == "2"


def test_a_source_that_does_not_exist_is_a_404_that_says_so(admin_client):
    response = admin_client.get("/", {"source": "nope"})
    assert response.status_code == 404
    assert "There is no source “nope”." in response.content.decode()


@pytest.mark.parametrize("query", ["range=8d", "range=%00", "repaired=2"])
def test_a_parameter_that_means_nothing_is_a_400(admin_client, query):
    assert admin_client.get(f"/?{query}").status_code == 400


@pytest.mark.parametrize("value", ["1e308", "-1e308", "1e-320", "999999999999999999999"])
def test_extreme_values_break_no_chart(admin_client, value):
    land("shop", {str(i): sale(i, value=value) for i in range(3)} | {"x": sale(7)})
    process_all()
    assert "Distribution of value" in page(admin_client)


def test_far_outliers_are_counted_rather_than_drawn(admin_client):
    rows = {str(i): sale(i, value=str(i % 50)) for i in range(500)}
    land("shop", rows | {"far": sale(1, value="1000000"), "low": sale(1, value="-1000000")})
    process_all()
    figure, rows = chart(page(admin_client), "distribution")
    assert "Not drawn: 1 below and 1 above the part where most values lie." in figure
    assert sum(int(row[2]) for row in rows[1:]) == 500


def test_names_out_of_files_are_shown_as_text(admin_client):
    evil = "</script><script>alert(1)</script>"
    land("shop", {"1": sale(1, category=evil)})
    Source.objects.filter(name="shop").update(mapping={"value": [evil], "category": ["category"]})
    process_all()
    assert "<script>alert" not in page(admin_client)


def test_the_number_of_queries_does_not_grow_with_the_records(
    admin_client, django_assert_max_num_queries
):
    for name in ("one", "two", "three"):
        land(name, {str(i): sale(i) for i in range(5)})
    process_all()
    with django_assert_max_num_queries(12):
        page(admin_client, "?range=7d")
    land("one", {str(i): sale(i, category=f"c{i}") for i in range(3000)})
    process_all()
    with django_assert_max_num_queries(12):
        page(admin_client, "?range=7d")


def test_totals_come_from_the_counters(admin_client):
    Source.objects.create(name="shop")
    RecordCount.objects.create(source="shop", day=NOON.date(), status="raw", count=3_000_000)
    assert tiles(page(admin_client))["Records"] == "3,000,000"
