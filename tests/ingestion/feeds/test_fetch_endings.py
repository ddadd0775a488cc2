"""How APIs end their pages, and what else they answer with than a list of objects."""

import json
from ipaddress import ip_network

import pytest

from ingestion.feeds.config import APIConfig, Incremental
from ingestion.feeds.errors import FeedError
from ingestion.feeds.fetch import fetch, first_page
from ingestion.feeds.paging import Paging, Style
from tests.apis import Reply, serving

ROWS = [{"id": number, "at": f"2024-01-{number:02}"} for number in range(1, 26)]
PAGE = Paging(Style.PAGE, param="page")
OFFSET = Paging(Style.OFFSET, param="offset")
CURSOR = Paging(Style.CURSOR, path="next", param="after")
LAST_ROW = Paging(Style.LAST_ROW, path="id", param="after")


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.FEED_PATIENCE = {"read": 0.5, "backoff": 0.001, "tries": 2, "slice": 0.05}


def get(answer, paging=None, **more):
    """What was fetched, and how many requests it took."""
    with serving(answer) as api:
        config = APIConfig(url=f"{api.url}/rows", paging=paging or Paging(), **more)
        return fetch(config, {}, name="1"), len(api.requests)


def rows_of(fetched):
    return [json.loads(line) for line in fetched.path.read_bytes().splitlines()]


def page_of(request, last=lambda number: []):
    number = int(request.query.get("page", 1))
    return number, ROWS[(number - 1) * 10 : number * 10] or last(number)


@pytest.mark.parametrize("status", [400, 404, 416])
@pytest.mark.parametrize("paging", [PAGE, OFFSET], ids=["page", "offset"])
def test_an_error_behind_the_last_page_is_the_end(paging, status):
    def answer(request):
        start = int(request.query.get("offset", (int(request.query.get("page", 1)) - 1) * 10))
        rows = ROWS[start : start + 10]
        return Reply(
            {"items": rows} if rows else {"error": "out of range"}, 200 if rows else status
        )

    fetched, _ = get(answer, paging, rows_path="items")
    assert rows_of(fetched) == ROWS
    assert fetched.cut_short == ""
    assert "which was taken as the end" in fetched.notes[0]


def test_an_error_before_the_named_total_is_no_end():
    def answer(request):
        number, rows = page_of(request)
        return Reply({"total": 25, "items": rows}, 200 if number < 3 else 400)

    fetched, _ = get(answer, PAGE, rows_path="items")
    assert fetched.rows == 20
    assert "returned 400 (Bad Request)" in fetched.cut_short


def test_an_error_on_the_first_page_fails():
    with pytest.raises(FeedError, match="returned 400"):
        get(lambda request: Reply({"error": "no such report"}, 400), PAGE, rows_path="items")


@pytest.mark.parametrize("again", [ROWS[20:], ROWS[:10]], ids=["the last page", "the first page"])
def test_a_page_that_comes_again_behind_the_last_one_is_the_end(again):
    def answer(request):
        return Reply({"items": page_of(request, lambda number: again)[1]})

    fetched, requests = get(answer, PAGE, rows_path="items")
    assert (rows_of(fetched), requests) == (ROWS, 4)
    assert fetched.cut_short == ""
    assert "has the same rows as" in fetched.notes[0]


def test_a_second_page_that_repeats_the_first_is_the_end_if_all_rows_came():
    fetched, _ = get(
        lambda request: Reply({"total": 10, "items": ROWS[:10]}), PAGE, rows_path="items"
    )
    assert (fetched.rows, fetched.cut_short) == (10, "")
    fetched, _ = get(
        lambda request: Reply({"total": 25, "items": ROWS[:10]}), PAGE, rows_path="items"
    )
    assert "probably ignores the parameter 'page'" in fetched.cut_short


@pytest.mark.parametrize(
    "facts",
    [
        lambda number: {"has_more": number < 3},
        lambda number: {"meta": {"hasNextPage": number < 3}},
        lambda number: {"pagination": {"total_pages": 3}},
        lambda number: {"page": number, "pages": 3},
        lambda number: {"totalResults": 25},
        lambda number: {"paging": {"is_last_page": number == 3}},
    ],
)
def test_no_page_is_asked_for_when_the_answer_says_that_it_is_the_last(facts):
    def answer(request):
        number, rows = page_of(request)
        return Reply({**facts(number), "items": rows})

    fetched, requests = get(answer, PAGE, rows_path="items")
    assert (rows_of(fetched), requests, fetched.cut_short) == (ROWS, 3, "")


def test_a_number_of_rows_in_the_page_is_no_total():
    def answer(request):
        rows = page_of(request)[1]
        return Reply({"count": len(rows), "items": rows})

    fetched, requests = get(answer, PAGE, rows_path="items")
    assert (rows_of(fetched), requests) == (ROWS, 4)


@pytest.mark.parametrize("at_end", [{"next": 0}, {"next": "25", "has_more": False}, {"next": "25"}])
def test_a_cursor_that_is_always_there_ends(at_end):
    def answer(request):
        start = int(request.query.get("after", 0))
        rows = ROWS[start : start + 10]
        following = {"next": str(start + 10)} if start + 10 < 25 else at_end
        return Reply({"items": rows, **following})

    fetched, _ = get(answer, CURSOR, rows_path="items")
    assert (rows_of(fetched), fetched.cut_short) == (ROWS, "")


@pytest.mark.parametrize("says_more", [True, False])
def test_the_last_row_may_be_the_cursor(says_more):
    def answer(request):
        start = int(request.query.get("after", 0))
        rows = ROWS[start : start + 10]
        more = {"has_more": start + 10 < 25} if says_more else {}
        return Reply({"data": rows, **more})

    fetched, requests = get(answer, LAST_ROW, rows_path="data")
    assert (rows_of(fetched), requests) == (ROWS, 3 if says_more else 4)
    fetched, _ = get(answer, Paging(Style.LAST_ROW, path="no", param="after"), rows_path="data")
    assert "its last row has no 'no'" in fetched.cut_short


def test_a_last_row_that_comes_again_is_a_loop():
    fetched, _ = get(lambda request: Reply({"data": ROWS[:10]}), LAST_ROW, rows_path="data")
    assert "same rows" in fetched.cut_short
    assert fetched.rows == 10


@pytest.mark.parametrize("style", [Style.NEXT, Style.CURSOR])
def test_a_path_to_the_next_page_that_is_never_there_is_told(style):
    paging = Paging(style, path="meta.next", param="after")
    fetched, _ = get(lambda request: Reply({"items": ROWS}), paging, rows_path="items")
    assert "has no 'meta.next'" in fetched.notes[0]
    assert fetched.cut_short == ""
    null = Reply({"items": ROWS, "meta": {"next": None}})
    assert get(lambda request: null, paging, rows_path="items")[0].notes == []


def test_a_next_link_may_be_an_object():
    def answer(request):
        number = int(request.query.get("p", 1))
        links = {"next": {"href": f"?p={number + 1}"}} if number < 3 else {}
        return Reply({"items": ROWS[(number - 1) * 10 : number * 10], "_links": links})

    fetched, _ = get(answer, Paging(Style.NEXT, path="_links.next"), rows_path="items")
    assert (rows_of(fetched), fetched.notes) == (ROWS, [])


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([["id", "at"], [1, 1.50], [2, "x"]], ""),
        ({"columns": ["id", "at"], "data": [[1, 1.50], [2, "x"]]}, "data"),
        ({"columns": [{"name": "id"}, {"name": "at"}], "rows": [[1, 1.50], [2, "x"]]}, "rows"),
    ],
)
def test_rows_that_are_lists_get_names(body, path):
    text = json.dumps(body).replace("1.5", "1.50").encode()
    fetched, _ = get(lambda request: Reply(text), rows_path=path)
    assert fetched.path.read_bytes() == b'{"id": 1, "at": 1.50}\n{"id": 2, "at": "x"}\n'
    assert "The rows are lists" in fetched.notes[0]


def test_rows_that_are_members_of_an_object_get_their_names():
    body = {"data": {"a": {"v": 1}, "b": {"v": 2}}}
    fetched, _ = get(lambda request: Reply(body), rows_path="data")
    assert rows_of(fetched) == [{"key": "a", "v": 1}, {"key": "b", "v": 2}]
    with pytest.raises(FeedError, match="not a list of rows"):
        get(lambda request: Reply({"data": {"a": {"v": 1}, "b": {"w": 2}}}), rows_path="data")


def test_a_path_may_name_the_index_of_a_list():
    def answer(request):
        number, rows = page_of(request)
        return Reply([{"page": number, "pages": 3}, rows or None])

    fetched, requests = get(answer, PAGE, rows_path="1")
    assert (rows_of(fetched), requests) == (ROWS, 3)
    with pytest.raises(FeedError, match="has no index 7"):
        get(answer, PAGE, rows_path="7")


@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/plain", "application/json"])
def test_json_in_each_line_is_read(kind):
    text = "".join(json.dumps(row) + "\r\n" for row in ROWS).encode()
    new = Incremental(column="at", param="since")
    reply = Reply(text, headers={"Content-Type": kind})
    fetched, _ = get(lambda request: reply, incremental=new)
    assert rows_of(fetched) == ROWS
    assert fetched.position == "2024-01-25"


def test_a_table_is_imported_as_it_is():
    text = 'id;text\r\n1;"a\r\nb"\r\n'.encode("utf-16")
    reply = Reply(text, headers={"Content-Type": "text/csv; charset=utf-16"})
    fetched, _ = get(lambda request: reply)
    assert fetched.path.read_bytes() == text
    assert not fetched.is_json
    with pytest.raises(FeedError, match="Only JSON can have pagination or a path to the rows"):
        get(lambda request: reply, PAGE, rows_path="items")
    with serving(lambda request: Reply(b"a,b\n1,2\n", headers={"Content-Type": "text/csv"})) as api:
        assert first_page(APIConfig(url=api.url), {}).rows == ["a,b", "1,2"]


def test_the_encoding_that_an_answer_names_is_used():
    text = '[{"name": "Müller"}]'.encode("latin-1")
    reply = Reply(text, headers={"Content-Type": "application/json; charset=ISO-8859-1"})
    assert rows_of(get(lambda request: reply)[0]) == [{"name": "Müller"}]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"status": "error", "message": "quota exceeded", "results": []}, "quota exceeded"),
        ({"errors": [{"detail": "bad token"}], "results": []}, "bad token"),
        ({"error": "closed", "results": None}, "closed"),
        ({"error": {"code": 403, "message": "Invalid API key"}}, "Invalid API key"),
    ],
)
def test_an_answer_without_rows_that_reports_an_error_fails(body, why):
    with pytest.raises(FeedError, match=f"It reports an error: {why}"):
        get(lambda request: Reply(body), rows_path="results")
