"""The explorer."""

import re

import pytest

from records.database.bulk import is_postgresql
from records.models import IngestionRun
from tests.landed import land, process_all, sale
from tests.markup import href, texts, tree

pytestmark = pytest.mark.django_db


def ids(response):
    return re.findall(
        r'<th scope="row" class="key"><a [^>]+>([^<]+)</a>', response.content.decode()
    )


def test_without_records_it_says_so(admin_client):
    html = admin_client.get("/explore/").content.decode()
    assert "No records yet" in html
    assert "Filter by value" not in html
    assert "Filter by value" in admin_client.get("/explore/?q=nothing").content.decode()


def test_filters_live_in_the_url(admin_client):
    run = land("shop", {"1": sale(1), "2": {"id": "2", "value": ""}})
    process_all()
    land("depot", {"3": sale(3, note="blue pallet")})
    assert ids(admin_client.get("/explore/")) == ["depot:3", "shop:1", "shop:2"]
    assert ids(admin_client.get("/explore/?source=shop")) == ["shop:1", "shop:2"]
    assert ids(admin_client.get("/explore/?status=failed")) == ["shop:2"]
    assert ids(admin_client.get("/explore/?q=PALLET")) == ["depot:3"]
    assert ids(admin_client.get(f"/explore/?run={run.pk}")) == ["shop:1", "shop:2"]
    html = admin_client.get("/explore/?status=failed&q=2").content.decode()
    assert 'name="status" value="failed" checked>' in html
    assert 'value="2"' in html


def test_the_dashboard_leads_to_records_without_a_timestamp(admin_client):
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1), "2": sale(2)}, timestamp=None)
    html = admin_client.get("/?range=7d").content.decode()
    link = href(html, 'a:-soup-contains-own("Show")')
    response = admin_client.get(link)
    assert ids(response) == ["depot:1", "depot:2"]
    assert "Has a timestamp? No ×" in response.content.decode()
    html = admin_client.get("/?source=depot&from=2026-03-01&to=2026-03-01").content.decode()
    assert '<a href="/explore/?source=depot&amp;dated=0">Show<' in html


def test_a_timestamp_is_asked_for_among_the_conditions(admin_client):
    land("depot", {"1": sale(1)}, timestamp=None)
    html = admin_client.get("/explore/?dated=0").content.decode()
    options = tree(html).select('select[name="dated"] option')
    assert [(o["value"], o.has_attr("selected"), o.get_text()) for o in options] == [
        ("", False, "Any"), ("1", False, "Yes"), ("0", True, "No"),
    ]  # fmt: skip
    assert html.count('name="dated"') == 1
    html = admin_client.get("/explore/?dated=0&status=x").content.decode()
    assert '<input type="hidden" form="filter" name="dated" value="0">' in html
    assert html.count('name="dated"') == 1


def test_pages_walk_forth_and_back_in_both_orders(admin_client):
    land("shop", {f"{i:03}": sale(i) for i in range(120)})
    for order, expected in (("id", range(120)), ("-id", range(119, -1, -1))):
        url, walked, back = f"/explore/?sort={order}", [], []
        while url:
            response = admin_client.get(url)
            walked.append(ids(response))
            url = _link(response, "next")
        assert [key for page in walked for key in page] == [f"shop:{i:03}" for i in expected]
        url = _link(response, "prev")
        while url:
            response = admin_client.get(url)
            back.append(ids(response))
            url = _link(response, "prev")
        assert back == walked[-2::-1]


def _link(response, rel):
    url = href(response.content.decode(), f'a[rel="{rel}"]')
    return url and f"/explore/{url}"


def test_records_of_one_kind_are_shown_in_the_columns_of_their_file(admin_client):
    run = land("shop", {"1": {"b": "beta", "a": "alpha", "id": "1"}})
    IngestionRun.objects.filter(pk=run.pk).update(columns=["id", "b", "a"], mapping={"id": ["id"]})
    html = admin_client.get("/explore/").content.decode()
    assert texts(html, "th.cell") == ["b", "a"]
    assert texts(html, "td.cell") == ["beta", "alpha"]


def test_value_and_category_are_shown_however_far_right_they_stand(admin_client):
    names = ["id", *(f"c{i}" for i in range(9)), "value", "category"]
    run = land("shop", {"1": dict.fromkeys(names, "x") | {"value": " 007.50"}})
    IngestionRun.objects.filter(pk=run.pk).update(columns=names, mapping={"id": ["id"]})
    html = admin_client.get("/explore/").content.decode()
    assert [(" ".join(th["class"]), th.get_text()) for th in tree(html).select("th.cell")] == [
        ("cell", "c0"),
        ("cell", "c1"),
        ("cell", "c2"),
        ("cell number", "value"),
        ("cell", "category"),
    ]
    assert '<td class="cell number">007.50</td>' in html


def test_records_of_different_kinds_name_the_column_of_each_cell(admin_client):
    land("shop", {"1": {"price": "9"}})
    land("depot", {"1": {"weight": "7"}})
    html = admin_client.get("/explore/").content.decode()
    assert '<span class="muted">price</span> 9' in html
    assert '<span class="muted">weight</span> 7' in html


def test_the_row_as_read_and_the_result_stand_side_by_side(admin_client):
    run = land(
        "shop", {"1": sale(1, value="bad"), "2": {"id": "2", "value": ""}, "3": sale(3, value="3")}
    )
    IngestionRun.objects.filter(pk=run.pk).update(columns=["id", "value", "category"])
    process_all()
    query = "source=shop&column=value&column=category&result_column=category&result_column=value"
    html = admin_client.get(f"/explore/?{query}").content.decode()
    assert texts(html, "th.cell") == ["value", "value result", "category", "category result"]
    cells = [(" ".join(td["class"][1:]), td.get_text()) for td in tree(html).select("td.cell")]
    assert cells == [
        ("", "bad"), ("number changed", "0.0"), ("", "Toys"), ("changed", "toys"),
        ("", ""), ("number", "—"), ("", "—"), ("", "—"),
        ("", "3"), ("number", "3.0"), ("", "Toys"), ("changed", "toys"),
    ]  # fmt: skip
    assert 'name="result_column" value="category" checked>' in html
    assert 'name="result_column" value="processed_timestamp">' in html
    land("depot", {"1": {"weight": "7"}})
    html = admin_client.get("/explore/?result_column=value").content.decode()
    assert '<span class="muted">value (result)</span> 0.0' in html
    html = admin_client.get("/explore/?status=x&result_column=value").content.decode()
    assert '<input type="hidden" form="filter" name="result_column" value="value">' in html


def test_htmx_gets_only_the_list(admin_client):
    land("shop", {"1": sale(1)})
    response = admin_client.get("/explore/", headers={"HX-Request": "true"})
    assert ids(response) == ["shop:1"]
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]
    restored = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in admin_client.get("/explore/", headers=restored).content.decode()


@pytest.mark.parametrize("query", [
        "status=bogus", "run=x", "run=0", "source=%00", "q=a%00b", "sort=random", "where=a",
        "where=a:like:b", "time_from=yesterday", "value_to=x", "result=a%00:eq:b",
        "status=raw&status=bogus",
    ])  # fmt: skip
def test_a_filter_that_means_nothing_is_said_in_words(admin_client, query):
    land("shop", {"1": sale(1)})
    response = admin_client.get(f"/explore/?{query}")
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert ids(response) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("statuss=failed", "There is no filter “statuss”."),
        ("status=raw&limit=5", "There is no filter “limit”."),
        ("sort=id&sort=-id", "The filter “sort” may be given only once."),
    ],
)
@pytest.mark.parametrize("page", ["/explore/", "/explore/export", "/explore/do/delete"])
def test_a_filter_that_is_misspelled_or_given_twice_never_shows_more_than_was_meant(
    admin_client, page, query, sentence
):
    land("shop", {"1": sale(1)})
    response = admin_client.get(f"{page}?{query}")
    assert response.status_code == 400
    assert sentence in response.content.decode()


@pytest.mark.parametrize("query", ["cursor=x", "cursor=%00"])
def test_a_cursor_that_means_nothing_is_a_400_page(admin_client, query):
    response = admin_client.get(f"/explore/?{query}")
    assert response.status_code == 400
    assert "Start again without a cursor." in response.content.decode()


def test_a_search_without_a_match_offers_all_records(admin_client):
    land("shop", {"1": sale(1)})
    assert "No records match" in admin_client.get("/explore/?q=nothing").content.decode()


def test_cells_and_ids_are_shown_as_text(admin_client):
    land("shop", {"<script>alert(1)</script>": {"<b>x</b>": "<img src=x onerror=alert(1)>"}})
    html = admin_client.get("/explore/").content.decode()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "<b>x" not in html


def test_characters_that_turn_text_round_are_marks(admin_client):
    land("shop", {"a\u202eb": {"c\u202ed": "e\u2066f"}})
    for url in ("/explore/", "/explore/?status=\u202e", "/explore/?sort=\u202e", "/?source=\u202e"):
        html = admin_client.get(url).content.decode()
        assert "[U+202E]" in html
        assert not re.search(f"[{chr(0x202E)}{chr(0x2066)}]", html)


def test_the_number_of_queries_does_not_grow_with_the_page(
    admin_client, django_assert_max_num_queries
):
    for name in ("a", "b", "c"):
        land(name, {str(i): sale(i) for i in range(15)})
    # PostgreSQL needs four more to be told how long the list may take.
    with django_assert_max_num_queries(13 if is_postgresql() else 9):
        admin_client.get("/explore/")
