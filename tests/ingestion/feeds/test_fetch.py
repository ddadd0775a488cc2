"""APIs as inputs: every row once, whatever happens on the way, and nothing but what may be."""

import gzip
import json
import logging
import socket
from ipaddress import ip_network
from itertools import pairwise

import pytest

from ingestion.feeds import http_client
from ingestion.feeds.config import APIConfig, Incremental
from ingestion.feeds.errors import AddressRefused, FeedError, FetchFailed, InvalidPage
from ingestion.feeds.fetch import fetch, greatest
from ingestion.feeds.paging import Paging, Style, next_link
from tests.apis import ROWS, Reply, rows_by, serving

STYLES = {
    "none": Paging(),
    "next": Paging(Style.NEXT, path="meta.next"),
    "link": Paging(Style.LINK),
    "page": Paging(Style.PAGE, param="page"),
    "offset": Paging(Style.OFFSET, param="offset", limit_param="limit", limit=50),
    "cursor": Paging(Style.CURSOR, path="meta.cursor", param="after"),
}


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.FEED_TIMEOUTS = {"read": 0.5, "backoff": 0.001, "tries": 12, "slice": 0.05}
    return settings


def get(url, *, paging=None, headers=None, **more):
    config = APIConfig(url=url, paging=paging or Paging(), **more)
    return fetch(config, headers or {}, name="1")


def spooled(fetched):
    return [json.loads(line) for line in fetched.path.read_bytes().splitlines()]


@pytest.mark.parametrize("style", STYLES)
def test_every_row_comes_once_whatever_fails_on_the_way(style):
    with serving(rows_by(style), trouble=0.3, silence=0.8) as api:
        fetched = get(f"{api.url}/rows", paging=STYLES[style], rows_path="data.items")
    assert spooled(fetched) == ROWS
    assert not fetched.cut_short
    assert sum(page["rows"] for page in fetched.pages) == fetched.rows == len(ROWS)
    assert fetched.size == fetched.path.stat().st_size


def test_the_text_of_a_row_stays_what_it_was():
    body = b'[{"a": 1e400, "b": 100000000000000000001,\n "c": "x\xff\\ud800", "a": 1.10}, 7,[ ]]'
    with serving(lambda request: Reply(body)) as api:
        fetched = get(api.url)
    assert fetched.path.read_bytes() == (
        b'{"a": 1e400, "b": 100000000000000000001,  "c": "x\xff\\ud800", "a": 1.10}\n7\n[ ]\n'
    ).replace(b",  ", b",  ")


class Clock:
    """Time that passes only where somebody waits."""

    now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(http_client, "time", made)
    return made


def test_retry_after_is_obeyed_up_to_a_cap(settings, clock):
    settings.FEED_TIMEOUTS = {**settings.FEED_TIMEOUTS, "retry_after_max": 2}
    moments = []

    def answer(request):
        moments.append(clock.now)
        waits = {1: "1", 2: "90000", 3: "soon"}
        if wait := waits.get(len(moments)):
            return Reply(b"", 429, {"Retry-After": wait})
        return Reply([{"id": 1}])

    with serving(answer) as api:
        assert get(api.url).rows == 1
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[:2] == [pytest.approx(1), pytest.approx(2)]
    assert 0 < gaps[2] < 0.1


def test_whoever_waits_is_asked_to_keep_its_lease_and_may_stop(clock):
    class LeaseGone(Exception):
        pass

    calls = []

    def on_wait(doing):
        calls.append(clock.now)
        if len(calls) > 5:
            raise LeaseGone

    with serving(lambda request: Reply(b"", 503, {"Retry-After": "60"})) as api:
        with pytest.raises(LeaseGone):
            fetch(APIConfig(url=api.url), {}, name="1", on_wait=on_wait)
        assert len(api.requests) == 1
    assert calls == [0, *(pytest.approx(0.05 * nap) for nap in range(5))]


def test_whoever_waits_is_told_the_page_or_what_keeps_it_from_coming(clock):
    said: list[str] = []

    def answer(request):
        number = len(api.requests)
        if number == 2:
            return Reply(b"", 503, {"Retry-After": "3"})
        if number == 3:
            return Reply(b"", 200, short=1 << 30)
        return Reply({"data": [{"id": number}] * 2, "next": "/b" if number < 4 else None})

    paging = Paging(Style.NEXT, path="next")
    with serving(answer) as api:
        config = APIConfig(url=api.url, rows_path="data", paging=paging)
        fetch(config, {}, name="1", on_wait=said.append)
    told = list(dict.fromkeys(said))
    assert told[0] == "Fetching page 1 (0 rows so far)"
    assert "Fetching page 2 (2 rows so far)" in told
    refused = "No page from 127.0.0.1: it returned 503 (Service Unavailable). Tried once"
    assert [f"{refused}, retrying in {n} s." for n in (3, 2, 1)] == [
        text for text in told if text.startswith(f"{refused}, retrying in")
    ]
    assert f"{refused}, retrying now." in told
    broken = "the connection was lost before the response was complete. Tried 2 times"
    assert any(broken in text for text in told)


def test_an_api_that_keeps_failing_is_given_up_with_its_reason(clock):
    with serving(lambda request: Reply(b"", 500)) as api:
        with pytest.raises(FetchFailed, match=r"returned 500 \(Internal Server Error\), 13 time"):
            get(api.url)
        assert len(api.requests) == 13


@pytest.mark.parametrize(
    ("style", "answer"),
    [
        ("next", lambda request: Reply({"data": {"items": [{"id": 1}]}, "meta": {"next": "/b"}})),
        ("cursor", lambda request: Reply({"data": {"items": [1]}, "meta": {"cursor": "same"}})),
        ("page", lambda request: Reply({"data": {"items": [{"id": 1}]}})),
        ("offset", lambda request: Reply({"data": {"items": [{"id": 1}]}})),
    ],
)
def test_pages_that_go_round_are_noticed(style, answer):
    with serving(answer) as api:
        fetched = get(f"{api.url}/a", paging=STYLES[style], rows_path="data.items")
        assert len(api.requests) == 2
    assert "(a loop)" in fetched.cut_short or "same rows" in fetched.cut_short
    assert "Page 2" in fetched.cut_short
    assert fetched.rows == (2 if style in ("next", "cursor") else 1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"data": {"items": [{"id": "r1"}, {"id"', "ends too early"),
        (b'{"data": {"items": [{"id": "r1"}, {"id": "r', "ends too early"),
        (b'{"data": {"items": [{"id": "r1"} {"id": 2}]}}', "is not valid at character 34"),
        (b"<!DOCTYPE html><p>Please log in</p>", "is HTML, not JSON"),
        (b"", "it is empty"),
        (b'{"data": {"rows": []}}', "there is no 'items' in 'data', only 'rows'"),
        (b'{"data": {"items": {"id": 1}}}', "is an object with 'id', not a list of rows"),
        (b'{"data": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"data": {"items": []}} x', "unexpected data after the JSON value"),
    ],
)
def test_a_page_that_is_no_page_is_named_and_what_came_before_stays(body, why):
    whole = rows_by("page")

    def answer(request):
        return Reply(body) if request.query.get("page") == "3" else whole(request)

    with serving(answer) as api:
        fetched = get(f"{api.url}/rows", paging=STYLES["page"], rows_path="data.items")
        assert spooled(fetched) == ROWS[:20]
        assert "Page 3 (" in fetched.cut_short
        assert "page=3" in fetched.cut_short
        assert why in fetched.cut_short
        with pytest.raises(InvalidPage, match="Page 1 "):
            get(
                f"{api.url}/rows",
                paging=Paging(Style.PAGE, param="page", start=3),
                rows_path="data.items",
            )


def test_a_refusal_on_a_later_page_keeps_what_came_before():
    whole = rows_by("cursor")

    def answer(request):
        return Reply(b"", 403) if request.query.get("after") == "c30" else whole(request)

    with serving(answer) as api:
        fetched = get(f"{api.url}/rows", paging=STYLES["cursor"], rows_path="data.items")
    assert fetched.rows == 30
    assert "Page 4: " in fetched.cut_short
    assert "403 (Forbidden)" in fetched.cut_short
    assert "Kept the 30 rows fetched before it" in fetched.cut_short


def test_no_page_behind_the_last_one_is_the_end_and_said():
    whole = rows_by("page")

    def answer(request):
        reply = whole(request)
        return reply if reply.body["data"]["items"] else Reply(b"", 404)

    with serving(answer) as api:
        fetched = get(f"{api.url}/rows", paging=STYLES["page"], rows_path="data.items")
    assert (fetched.rows, fetched.cut_short) == (len(ROWS), "")
    assert fetched.notes == ["Page 12 returned 404 (Not Found), which was taken as the end."]


@pytest.mark.parametrize(
    ("limit", "value", "rows"), [("PAGE_BYTES", 100, 0), ("PAGES", 2, 20), ("ROWS", 25, 20)]
)
def test_limits_are_kept(settings, limit, value, rows):
    setattr(settings, f"FEED_{limit}", value)
    with serving(rows_by("page")) as api:
        if rows:
            fetched = get(f"{api.url}/rows", paging=STYLES["page"], rows_path="data.items")
            assert fetched.rows == rows
            assert f"DATAFLOW_FEED_{limit}" in fetched.cut_short
        else:
            with pytest.raises(FetchFailed, match="DATAFLOW_FEED_PAGE_BYTES sets this limit"):
                get(f"{api.url}/rows", paging=STYLES["page"], rows_path="data.items")


def test_a_small_answer_that_unpacks_to_a_large_one_is_stopped(settings):
    settings.FEED_PAGE_BYTES = 1 << 20
    bomb = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    assert len(bomb) < 1 << 17
    compressed = Reply(bomb, headers={"Content-Encoding": "gzip"})
    with (
        serving(lambda request: compressed) as api,
        pytest.raises(FetchFailed, match="DATAFLOW_FEED_PAGE_BYTES sets this limit"),
    ):
        get(api.url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        "2130706433",
        "localhost",
        "[::ffff:127.0.0.1]",
        "rebind.test",
    ],
)
@pytest.mark.parametrize("redirected", [False, True])
def test_no_request_reaches_what_is_not_public(settings, monkeypatch, host, redirected):
    """The server that redirects is allowed by its own address only: 127.0.0.2."""
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.2/32")]
    real = socket.getaddrinfo

    def resolve(name, port, *more, **options):
        return real("127.0.0.1" if name == "rebind.test" else name, port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    inside = "::1" if host == "[::1]" else "127.0.0.1"
    with _serving_on(inside) as target:
        url = f"http://{host}:{target.port}/rows"
        with serving(lambda request: Reply(b"", 302, {"Location": url}), host="127.0.0.2") as api:
            with pytest.raises(AddressRefused, match="not on the public internet"):
                get(api.url if redirected else url)
            assert len(api.requests) == int(redirected)
        assert target.requests == []


def _serving_on(host):
    return serving(lambda request: Reply([{"id": 1}]), host=host)


def test_a_name_is_resolved_once_so_that_it_can_not_change_in_between(settings, monkeypatch):
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.2/32")]
    asked = []
    real = socket.getaddrinfo

    def resolve(name, port, *more, **options):
        if name != "rebind.test":
            return real(name, port, *more, **options)
        asked.append(name)
        return real("127.0.0.2" if len(asked) == 1 else "127.0.0.1", port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with _serving_on("127.0.0.2") as api:
        assert get(f"http://rebind.test:{api.port}/").rows == 1
    assert asked == ["rebind.test"]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.0.192",
        "100.100.100.200", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_on_the_internet_are_refused(settings, monkeypatch, address):
    settings.ALLOWED_NETWORKS = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *ignored: found)
    with pytest.raises(AddressRefused):
        get("http://metadata.test/")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "http://[", "http://a:b/"],
)
def test_a_redirect_to_another_scheme_is_refused(url):
    with (
        serving(lambda request: Reply(b"", 302, {"Location": url})) as api,
        pytest.raises(FetchFailed, match=r"not (valid )?http or https"),
    ):
        get(api.url)


@pytest.mark.parametrize("link", ["http://[", "http://a:b/", "javascript:x", {"a": 1}])
def test_a_next_link_that_is_none_is_said(link):
    with serving(lambda request: Reply({"rows": [{"id": 1}], "next": link})) as api:
        fetched = get(api.url, rows_path="rows", paging=Paging(Style.NEXT, path="next"))
    assert fetched.rows == 1
    said = ("is not a URL", "not valid http or https", "is not text")
    assert any(text in fetched.cut_short for text in said)


def test_more_than_five_redirects_are_refused():
    with serving(lambda request: Reply(b"", 302, {"Location": "/again"})) as api:
        with pytest.raises(FetchFailed, match="more than 5 times"):
            get(api.url)
        assert len(api.requests) == 6


def test_another_host_gets_none_of_the_headers():
    secret = {"Authorization": "Bearer hush", "X-Api-Key": "hush", "X-Tenant": "hush"}
    last = Reply({"rows": [{"id": 2}], "next": None})
    with serving(lambda request: last, host="127.0.0.2") as other:

        def answer(request):
            assert request.headers["X-Api-Key"] == "hush"
            if request.path == "/redirect":
                return Reply(b"", 307, {"Location": f"{other.url}/"})
            return Reply({"rows": [{"id": 1}], "next": f"{other.url}/"})

        paging = Paging(Style.NEXT, path="next")
        with serving(answer) as api:
            for path in ("/redirect", "/next"):
                get(f"{api.url}{path}", headers=secret, rows_path="rows", paging=paging)
                assert api.requests[-1].headers["Authorization"] == "Bearer hush"
        assert len(other.requests) == 2
        assert not any("hush" in str(request) for request in other.requests)


def test_nothing_secret_is_in_errors_pages_or_the_log(caplog, clock):
    caplog.set_level(logging.WARNING)
    with serving(lambda request: Reply(b"", 500)) as api:
        url = f"{api.url}/?api_key=hush&access_token=hush&q=tea"
        with pytest.raises(FetchFailed) as failed:
            get(url, headers={"Authorization": "hush"})
        with serving(lambda request: Reply([1])) as good:
            fetched = get(f"{good.url}/?api_key=hush&q=tea")
    assert "q=tea" in str(failed.value)
    assert "hush" not in f"{failed.value}{caplog.text}{fetched.pages}"


def test_the_environments_proxy_is_not_asked(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(rows_by("none")) as api:
        assert get(api.url, rows_path="data.items").rows == len(ROWS)


def test_only_what_is_new_is_asked_for():
    with serving(lambda request: Reply([{"n": 9}, {"n": 10}, {"n": None}, 3])) as api:
        config = APIConfig(
            url=f"{api.url}/?since=0&q=1",
            incremental=Incremental(column="n", param="since", value="gt.{position}"),
        )
        assert fetch(config, {}, name="1").position == "10"
        assert fetch(config, {}, name="1", position="11").position == "11"
    assert [request.query["since"] for request in api.requests] == ["0", "gt.11"]


def test_the_greatest_position_is_by_number_or_by_text():
    assert greatest("9", "10") == "10"
    assert greatest("10", "9.5") == "10"
    assert greatest("2026-01-09", "2026-01-10") == "2026-01-10"
    assert greatest("a", "") == greatest("a", "z\0") == greatest("a", "z" * 1001) == "a"


def test_what_a_killed_fetch_left_behind_goes_with_the_next(settings):
    settings.INPUT_DIR.mkdir()
    (settings.INPUT_DIR / "fetch-1-abc").write_text("half")
    with serving(lambda request: Reply(b"", 403)) as api, pytest.raises(FeedError):
        get(api.url)
    assert list(settings.INPUT_DIR.iterdir()) == []


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a/b?x=1,2;3>; rel="next"', "https://a/b?x=1,2;3"),
        ('</a>; rel=prev, </b>; title="a, b"; rel="last next"', "/b"),
        ("</a>; REL=NEXT", "/a"),
        ('</a>; rel="prev"', None),
        ("", None),
        ("garbage <", None),
        ('< <</a>; rel="next"', "/a"),
        ("<" * 1_000_000, None),
        ("<a>" + "; b" * 300_000, None),
        ("<a>" + " " * 1_000_000 + ";" * 1_000_000, None),
    ],
)
def test_link_headers(header, target):
    assert next_link(header) == target
