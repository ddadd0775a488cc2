"""The dashboard."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from explore.metrics import figures
from records import store
from records.models import Feed, IngestionRun, ProcessingResult, RecordCount, Source
from records.rows import Reject
from tests.landed import NOON, land, process_all, sale
from tests.markup import next_to, texts, tree

# Imports, replays and new keys are kinds of runs of their own, and read one after the other.
QUERIES = 30
REJECTS = (Reject(3, b"a;b", "too_few_cells", "Bad."), Reject(4, b"c", "too_few_cells", "Bad."))

pytestmark = pytest.mark.django_db


def page(client, query=""):
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def tiles(html):
    names = tree(html).select("dl.tiles dt")
    return {name.get_text(): next_to(name, "dd").strip() for name in names}


def chart(html, name):
    (figure,) = tree(html).select(f'figure[aria-labelledby="{name}-title"]')
    return str(figure), [texts(row, "th, td") for row in figure.select("tr")]


def links(html):
    """(address, number) of every number on the page that leads to a list."""
    found = tree(html).select('a[href^="/explore/"], a[href^="/rejected/"]')
    numbers = [(link["href"], link.get_text().replace(",", "")) for link in found]
    return [(url, int(number)) for url, number in numbers if number.isdigit()]


def listed(client, url):
    """How many rows a list has, page by page."""
    number, cursor = 0, ""
    while cursor is not None:
        response = client.get(f"{url}&cursor={cursor}")
        assert response.status_code == 200, url
        page = response.context["page"]
        number, cursor = number + len(page.records), page.next
    return number


def spec(figure):
    (text,) = texts(figure, 'script[type="application/json"]')
    return json.loads(text)


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
        ["Day (UTC)", "Processed", "Failed", "Waiting"],
        ["2026-03-01", "2", "1", "0"],
    ]
    assert chart(html, "by-category")[1][1:] == [["tea", "1"], ["toys", "1"]]
    assert chart(html, "mean-by-category")[1][1:] == [["tea", "1", "2.5"], ["toys", "1", "1.5"]]
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
    assert "1 repaired value excluded." in html
    assert chart(html, "mean-by-category")[1][1] == ["toys", "1", "1.5"]
    html = page(admin_client, "?repaired=1")
    assert "left out" not in chart(html, "mean-by-category")[0]
    assert chart(html, "mean-by-category")[1][1] == ["toys", "2", "0.75"]


def test_a_range_counts_back_from_the_newest_record(admin_client):
    land("shop", {"1": sale(1)}, timestamp=NOON)
    land("shop", {"2": sale(2)}, timestamp=NOON - timedelta(days=6))
    land("shop", {"3": sale(3)}, timestamp=NOON - timedelta(days=7))
    land("shop", {"4": sale(4)}, timestamp=None)
    process_all()
    html = page(admin_client, "?range=7d")
    assert "23 Feb 2026 to 1 Mar 2026. 1 record without a timestamp not included." in html
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


@pytest.mark.parametrize(
    "query",
    [
        "range=8d",
        "range=%00",
        "range=custom",
        "repaired=2",
        "from=yesterday",
        "from=2026-13-01",
        "to=%00",
        "from=2026-03-02&to=2026-03-01",
        "range=7d&from=2026-03-01",
    ],
)
def test_a_parameter_that_means_nothing_is_a_400(admin_client, query):
    assert admin_client.get(f"/?{query}").status_code == 400


@pytest.fixture
def shops():
    """Two sources of several days, with everything that a chart can show."""
    rows = {str(n): sale(n, category=["Tea", "Toys", "a&b=c;d"][n % 3]) for n in range(60)}
    rows |= {f"{n / 10}": sale(1, value=f"{n / 10}") for n in range(1, 30)}
    rows |= {"far": sale(1, value="100000"), "low": sale(1, value="-100000")}
    rows |= {"bad": sale(1, value="bad"), "none": {"id": "none", "value": ""}}
    land("shop", rows, rejects=REJECTS)
    late = NOON.replace(hour=23, minute=59, second=59, microsecond=999_999)
    land("shop", {"late": sale(1), "late bad": {"id": "x"}}, timestamp=late)
    land("shop", {"early": sale(2)}, timestamp=NOON.replace(hour=0))
    land("shop", {"next": sale(3)}, timestamp=NOON.replace(day=2, hour=0))
    for days in (3, 6, 7, 9, 40, 200):
        land("shop", {f"b{days}": sale(days)}, timestamp=NOON - timedelta(days=days))
    land("shop", {"first": sale(1)}, timestamp=datetime(1, 1, 2, tzinfo=UTC))
    land("shop", {"last": sale(1)}, timestamp=datetime(9999, 12, 31, 23, tzinfo=UTC))
    land("shop", {"undated": sale(1)}, timestamp=None)
    land("depot", {"1": sale(1), "2": {"id": "2"}}, rejects=REJECTS[:1])
    process_all()
    land("shop", {"raw": sale(9)})
    ProcessingResult.objects.filter(value__in=[100_000, -100_000, 2.5]).update(anomaly="Far off.")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "source=shop",
        "source=shop&repaired=1",
        "range=7d",
        "range=1d&source=shop",
        "range=1y&source=shop",
        "from=2026-02-20&to=2026-03-01",
        "from=9999-01-01",
        "to=2026-02-25&source=shop",
    ],
)
def test_every_number_leads_to_exactly_the_records_that_it_counts(
    admin_client, shops, settings, query
):
    # Counters have days of UTC, whatever the zone in which the installation shows times.
    settings.TIME_ZONE = "Pacific/Auckland"
    html = page(admin_client, f"?{query}")
    found = links(html)
    assert len(found) > 4
    wrong = {
        url: (number, listed(admin_client, url if "?" in url else f"{url}?"))
        for url, number in dict(found).items()
    }
    assert {url: pair for url, pair in wrong.items() if pair[0] != pair[1]} == {}


def test_every_mark_of_a_drawing_leads_to_where_its_number_does(admin_client, shops):
    html = page(admin_client, "?source=shop")
    addresses = {url for url, _ in links(html)}
    names = [
        "over-time",
        "values-over-time",
        "distribution",
        "failures",
        "by-category",
        "mean-by-category",
    ]
    for name in [*names, "repairs", "rejections"]:
        figure, _ = chart(html, name)
        drawn = spec(figure)
        (marks,) = drawn["datasets"].values() if "datasets" in drawn else [drawn["data"]["values"]]
        assert marks
        # There is no list of nothing.
        drawn_to = [
            mark.get(to) for mark in marks if mark.get("records") != 0 for to in ("url", "far")
        ]
        assert set(filter(None, drawn_to)) <= addresses


def test_one_day_is_shown_by_the_hour(admin_client, shops):
    html = page(admin_client, "?source=shop&from=2026-03-01&to=2026-03-01")
    assert chart(html, "over-time")[1] == [
        ["Hour (UTC)", "Processed", "Failed", "Waiting"],
        ["2026-03-01 00:00", "1", "0", "0"],
        ["2026-03-01 12:00", "92", "1", "1"],
        ["2026-03-01 23:00", "1", "1", "0"],
    ]


def test_totals_tell_their_change_against_the_period_before(admin_client):
    land("shop", {"1": sale(1), "2": sale(2), "3": {"id": "3"}})
    before = NOON - timedelta(days=7)
    land("shop", {"4": sale(1), "5": {"id": "5"}}, timestamp=before)
    process_all()
    html = page(admin_client, "?range=7d")
    tiles = tree(html).select("dl.tiles > div")
    assert {texts(tile, "dt")[0]: texts(tile, "dd.change")[0] for tile in tiles} == {
        "Records": "+50%",
        "Processed": "+100%",
        "Failed": "no change",
        "Waiting": "no change",
        "Success rate": "+16.7 pts",
    }
    assert "Compared with the previous 7 days: 16 Feb 2026 to 22 Feb 2026." in html
    assert "Changes are" not in page(admin_client)


def test_days_of_choice_are_kept_when_the_source_is_changed(admin_client, shops):
    html = page(admin_client, "?from=2026-02-20&to=2026-03-01")
    assert "20 Feb 2026 to 1 Mar 2026" in html
    source_form = html.split('<form class="toolbar"')[1].split("</form>")[0]
    assert '<input type="hidden" name="from" value="2026-02-20">' in source_form
    assert 'value="2026-03-01"' in html.split('<form class="days"')[1]


def test_many_results_are_counted_after_the_page_is_there(admin_client, shops, monkeypatch):
    monkeypatch.setattr(figures, "AT_ONCE", 10)
    html = page(admin_client, "?source=shop")
    assert 'hx-get="/counted?source=shop"' in html
    assert "by-category-title" not in html
    assert admin_client.get("/counted?source=shop").url == "/?source=shop&counted=1"
    part = admin_client.get("/counted?source=shop", headers={"HX-Request": "true"})
    assert "by-category-title" in part.content.decode()
    # Now that they have been counted, they come with the page.
    assert "by-category-title" in page(admin_client, "?source=shop")


def test_what_was_counted_is_kept_until_something_changes(
    admin_client, shops, django_assert_max_num_queries
):
    def failed():
        return chart(page(admin_client, "?source=shop"), "failures")[1]

    first = failed()
    ProcessingResult.objects.filter(success=False).update(error_message="Nobody has told.")
    assert failed() == first
    with django_assert_max_num_queries(QUERIES - 11):
        page(admin_client, "?source=shop")
    store.edit_record(record_id="shop:none", data=sale(1), user=None)
    process_all()
    assert failed()[1:] == [["Nobody has told.", "1", "100%"]]


@pytest.mark.parametrize("kind", ["svg", "png", "csv"])
def test_a_chart_comes_as_a_file(admin_client, shops, kind):
    html = page(admin_client, "?source=shop&range=7d")
    address = f"/charts/by-category.{kind}?source=shop&amp;range=7d"
    assert f'href="{address}" download' in html
    response = admin_client.get(unescape(address))
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="by-category.{kind}"'
    start = {"svg": b"<svg", "png": b"\x89PNG", "csv": b"Category,Processed records\r\n"}
    assert response.content.startswith(start[kind])


@pytest.mark.parametrize("name", ["no-such.svg", "by-category.gif", "by-category.svg?range=x"])
def test_a_file_that_is_not_there_is_an_error(admin_client, shops, name):
    assert admin_client.get(f"/charts/{name}").status_code in (400, 404)


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
    assert "Not shown: 1 below and 1 above this range." in figure
    assert [row[2] for row in (rows[1], rows[-1])] == ["1", "1"]
    assert sum(int(row[2]) for row in rows[1:]) == 502


def test_a_value_that_nearly_all_have_leaves_room_for_the_others(admin_client):
    rows = {str(i): sale(0) for i in range(60)} | {"a": sale(5), "b": sale(70), "c": sale(1000)}
    land("shop", rows)
    process_all()
    figure, cells = chart(page(admin_client), "distribution")
    assert "60 records with exactly 0.5" in figure
    assert cells[1] == ["exactly 0.5", "—", "60"]
    assert sum(int(row[2]) for row in cells[2:]) == 3
    for url, number in links(figure):
        assert listed(admin_client, url) == number


def test_names_out_of_files_are_shown_as_text(admin_client):
    evil = "</script><script>alert('1&2')</script>"
    land("shop", {"1": sale(1, category=evil)})
    Source.objects.filter(name="shop").update(mapping={"value": [evil], "category": ["category"]})
    process_all()
    html = page(admin_client)
    assert "<script>alert" not in html
    figure, rows = chart(html, "failures")
    assert evil in rows[1][0]
    assert evil in spec(figure)["data"]["values"][0]["name"]


def test_the_number_of_queries_does_not_grow_with_the_records(
    admin_client, django_assert_max_num_queries
):
    for name in ("one", "two", "three"):
        land(name, {str(i): sale(i) for i in range(5)})
    process_all()
    with django_assert_max_num_queries(QUERIES):
        page(admin_client, "?range=7d")
    land("one", {str(i): sale(i, category=f"c{i}") for i in range(3000)})
    process_all()
    with django_assert_max_num_queries(QUERIES):
        page(admin_client, "?range=7d")


def test_totals_come_from_the_counters(admin_client):
    Source.objects.create(name="shop")
    RecordCount.objects.create(source="shop", day=NOON.date(), status="raw", count=3_000_000)
    assert tiles(page(admin_client))["Records"] == "3,000,000"


def part(client, query="", tag=""):
    """What the script of the page gets."""
    return client.get(f"/{query}", headers={"HX-Request": "true", "If-None-Match": tag})


@pytest.mark.parametrize("at_once", [10, 100_000])
def test_the_part_that_moves_is_sent_only_when_something_has_changed(
    admin_client, shops, monkeypatch, django_assert_max_num_queries, at_once
):
    monkeypatch.setattr(figures, "AT_ONCE", at_once)
    html = page(admin_client, "?source=shop")
    (tag,) = map(unescape, re.findall(r'data-tag="([^"]+)"', html))
    assert part(admin_client, "?source=shop", tag).status_code == 304
    admin_client.get("/counted?source=shop", headers={"HX-Request": "true"})
    with django_assert_max_num_queries(15):
        same = part(admin_client, "?source=shop", tag)
    assert (same.status_code, same.content) == (304, b"")
    # The page itself always comes: it tells how long ago things were.
    assert admin_client.get("/?source=shop", headers={"If-None-Match": tag}).status_code == 200
    land("shop", {"more": sale(1)})
    moved = part(admin_client, "?source=shop", tag)
    assert moved.status_code == 200
    assert moved.content.decode().startswith('<div id="live"')
    assert moved["ETag"] != tag
    assert moved["Cache-Control"] == "no-store"
    process_all()
    assert part(admin_client, "?source=shop", moved["ETag"]).status_code == 200


def test_figures_that_were_out_of_date_are_sent_once_they_are_made_anew(
    admin_client, shops, monkeypatch
):
    monkeypatch.setattr(figures, "QUICK", 0)
    monkeypatch.setattr(figures, "SELDOM", 1e9)
    page(admin_client, "?source=shop")
    store.edit_record(record_id="shop:none", data=sale(1), user=None)
    process_all()
    former = part(admin_client, "?source=shop")
    monkeypatch.setattr(figures, "SELDOM", 1e-9)
    assert part(admin_client, "?source=shop", former["ETag"]).status_code == 200


def test_freshness_leads_to_the_run_that_it_tells_of(admin_client):
    run = land("shop", {"1": sale(1), "2": sale(2)}, rejects=REJECTS)
    html = page(admin_client)
    assert f'<a href="{run.get_absolute_url()}">4</a>' in html
    assert f'<a class="bad" href="{run.get_absolute_url()}#rejected">2</a>' in html


def failed_load(source, *, error="It can't be fetched.", hours=1):
    owner, _ = Source.objects.get_or_create(name=source)
    return IngestionRun.objects.create(
        source=owner, file_name="x.ndjson", trigger="schedule", state="failed", error=error,
        finished_at=timezone.now() - timedelta(hours=hours),
    )  # fmt: skip


def test_a_source_whose_loads_fail_comes_first_with_the_reason_and_never_as_usual(admin_client):
    land("shop", {str(i): sale(i) for i in range(5)})
    for hours in (4, 3, 2, 1):
        failed_load("depot", hours=hours)
    last = failed_load("shop", error="Nobody is there.")
    for query in ("", "?source=shop"):
        html = page(admin_client, query)
        link = tree(html).select('th[scope="row"] a[href="/sources/shop/"]')[0]
        row = link.find_parent("tr")
        assert row is not None
        assert texts(row, f'a.bad[href="{last.get_absolute_url()}"]') == ["Failed"]
        assert "Nobody is there." in row.get_text()
        assert "On schedule" not in row.get_text()
    assert "Failed 4 times" in page(admin_client)
    # A source without a record has no charts, but a state.
    assert "Failed 4 times" in page(admin_client, "?source=depot")


def test_the_part_that_moves_is_sent_when_a_load_has_failed_or_a_source_is_late(admin_client):
    land("shop", {str(i): sale(i) for i in range(5)})
    for _ in range(8):
        land("depot", {"1": sale(1)})
    tag = part(admin_client)["ETag"]
    assert part(admin_client, tag=tag).status_code == 304
    # Not among the latest runs.
    IngestionRun.objects.filter(source__name="shop").update(state="failed", error="No.")
    moved = part(admin_client, tag=tag)
    assert moved.status_code == 200
    assert ">Failed</a>" in moved.content.decode()
    Feed.objects.create(
        source=Source.objects.get(name="depot"), kind="http", config={},
        next_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    overdue = part(admin_client, tag=moved["ETag"])
    assert overdue.status_code == 200
    assert "not started by a worker" in overdue.content.decode()


def test_the_latest_runs_move_with_their_counts(admin_client):
    run = land("shop", {"1": sale(1)})
    tag = part(admin_client)["ETag"]
    IngestionRun.objects.filter(pk=run.pk).update(read=2, unchanged=1)
    assert part(admin_client, tag=tag).status_code == 200
