"""POST /ingest: rows come in as a file in a form, or as the body itself."""

import gzip
import socket
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django_q.models import OrmQ
from rest_framework.test import APIClient

from accounts.models import TokenScope
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, Source
from tests.installation import comes_true, open_files_in
from tests.people import viewer
from tests.tokens import token_of
from tests.workbooks import write_xlsb

DATA = Path(__file__).parents[2] / "data"
CSV = b"key;amount\n1;2\n2;3\n"


def load(number: int) -> IngestionRun | None:
    run = IngestionRun.objects.get(pk=number)
    return work_on(run, "worker")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    """Where uploads are written while they come in."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    settings.INPUT_DIR = tmp_path / "inputs"
    return settings.FILE_UPLOAD_TEMP_DIR


@pytest.fixture
def sender(db) -> User:
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    return user


@pytest.fixture
def api(sender) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token_of(sender)}")
    return client


def file(content: bytes = CSV, name: str = "orders.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def kept(settings) -> list[Path]:
    """The inputs that are kept, and what is left of those that are not."""
    return [path for path in settings.INPUT_DIR.rglob("*") if path.is_file()]


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_a_body_is_kept_and_queued(api, sender, settings, prefix):
    waiting = OrmQ.objects.count()
    answer = api.post(f"{prefix}/ingest?source=shop&id=key", CSV, content_type="text/csv")
    run = IngestionRun.objects.get()
    assert answer.status_code == 202
    assert answer["Location"] == f"http://testserver/api/runs/{run.pk}"
    told = answer.json()
    assert (told["id"], told["source"], told["state"]) == (run.pk, "shop", "queued")
    assert (run.trigger, run.user, run.file_name, run.size) == ("api", sender, "shop.csv", len(CSV))
    assert Path(run.path).read_bytes() == CSV
    assert OrmQ.objects.count() == waiting + 1
    done = load(run.pk)
    assert done is not None
    assert (done.state, done.created) == ("finished", 2)
    assert {record.pk for record in DataRecord.objects.all()} == {"shop:1", "shop:2"}
    assert api.get(answer["Location"]).json()["ledger"]["created"] == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'[{"key": "1", "amount": 2.50}, {"key": "2"}]', "application/json"),
        (b'{"total": 2, "rows": [{"key": 1}, {"key": 2}]}', "application/json; charset=utf-8"),
        (b'{"key": "1"}\n{"key": "2", "x": {"y": [1]}}\n', "application/x-ndjson"),
        (b"key\tamount\n1\t2\n2\t3\n", "text/tab-separated-values"),
        (b"key;amount\n1;2\n2;3\n", "text/plain"),
        (gzip.compress(CSV, mtime=0), "application/gzip"),
    ],
)
def test_every_kind_of_body_lands(api, body, content_type):
    answer = api.post("/ingest?source=shop&id=key", body, content_type=content_type)
    assert answer.status_code == 202
    done = load(answer.json()["id"])
    assert done is not None
    assert (done.error, done.state, done.created) == ("", "finished", 2)
    assert {record.pk for record in DataRecord.objects.all()} == {"shop:1", "shop:2"}


def test_what_a_source_remembers_of_its_files_is_not_asked_of_another_kind_of_body(api):
    Source.objects.create(name="shop", reading={"delimiter": "|", "encoding": "cp1252"})
    answer = api.post("/ingest?source=shop", b'[{"id": "1"}]', content_type="application/json")
    done = load(answer.json()["id"])
    assert done is not None
    assert (done.error, done.created, done.reading["format"]) == ("", 1, "json")
    answer = api.post("/ingest?source=shop", b"id|x\n2|\xe4\n", content_type="text/csv")
    done = load(answer.json()["id"])
    assert done is not None
    assert done.columns == ["id", "x"]
    assert DataRecord.objects.get(pk="shop:2").data["x"] == "ä"


def test_a_body_that_is_no_json_fails_its_run_with_a_sentence(api):
    answer = api.post("/ingest?source=shop", b'[{"a": 1', content_type="application/json")
    if answer.status_code == 202:
        load(answer.json()["id"])
        told = api.get(answer["Location"]).json()
        assert told["state"] == "failed"
        assert "JSON" in told["error"] or "json" in told["error"]
    else:
        assert answer.status_code == 400


def test_a_form_with_a_file_is_kept_and_queued(api):
    answer = api.post("/ingest", {"file": file(), "source": "shop", "id": "key", "delimiter": ";"})
    assert answer.status_code == 202
    run = IngestionRun.objects.get()
    assert (run.file_name, run.source.name) == ("orders.csv", "shop")
    assert run.reading == {"delimiter": ";"}
    done = load(run.pk)
    assert done is not None
    assert done.created == 2


def test_a_form_without_a_source_goes_to_one_named_after_the_file(api):
    assert api.post("/ingest", {"file": file()}).json()["source"] == "orders"
    answer = api.post("/ingest?name=a/b/march.csv", CSV, content_type="text/csv")
    assert (answer.json()["source"], answer.json()["file_name"]) == ("march", "march.csv")


def test_what_is_said_about_reading_stays_with_the_run(api):
    url = "/ingest?source=shop&delimiter=%09&header=2"
    api.post(url, b"a\nid\tvalue\n1\t2\n", content_type="text/csv; charset=ISO-8859-1")
    assert IngestionRun.objects.get().reading == {
        "format": "delimited", "encoding": "ISO-8859-1", "delimiter": "\t", "header": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "body", "content_type", "said"),
    [
        ("", CSV, "text/csv", "Name the source to import into."),
        ("source=a%20b", CSV, "text/csv", "A name must start with"),
        ("source=%00", CSV, "text/csv", "Null"),
        ("source=s&x=1", CSV, "text/csv", "Unknown parameter."),
        ("source=s&source=t", CSV, "text/csv", "only once"),
        ("source=s&value=a,b", CSV, "text/csv", "Give one column, not 2."),
        ("source=s&encoding=nope", CSV, "text/csv", "use a name such as utf-8 or cp1252"),
        ("source=s&delimiter=abc", CSV, "text/csv", "one character"),
        ("source=s&timestamp_format=soon", CSV, "text/csv", "'soon' is not a valid date format"),
        ("source=s&timestamp_format=%25H:%25M", CSV, "text/csv", "is not a valid date format"),
        ("source=s&timestamp_format=%25Y%00", CSV, "text/csv", "Null"),
        ("source=s&max_rejects=few", CSV, "text/csv", "'few' is not a valid reject limit"),
        ("source=s", CSV, "text/csv; charset=nope", "use a name such as utf-8 or cp1252"),
        ("source=s", b"", "text/csv", "The request contains no file."),
        ("source=s", b"\x89PNG\r\n", "text/csv", "it is an image"),
        ("name=..", CSV, "text/csv", ""),
    ],
)
def test_bad_input_is_a_400_with_a_sentence(api, settings, query, body, content_type, said):
    answer = api.post(f"/ingest?{query}", body, content_type=content_type)
    if said:
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert not IngestionRun.objects.exists()
        assert not kept(settings)
    else:
        assert answer.status_code in (202, 400)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"source": "s"}, "The request contains no file."),
        ({"file": ""}, "The request contains no file."),
        ({"file": file(b"")}, "empty"),
        ({"file": [file(), file()]}, "more than once"),
        ({"other": file()}, "Unknown field."),
        ({"file": file(), "x": "1"}, "Unknown field."),
        ({"file": file(), "source": "a b"}, "A name must start with"),
        ({"file": file(), "format": "xml"}, "delimited"),
        ({"file": file(), "max_rejects": "101%"}, "is not a valid reject limit"),
        ({"file": file(), "timestamp_format": "%d" * 60}, "no more than 100 characters"),
    ],
)
def test_a_bad_form_is_a_400_with_a_sentence(api, settings, folder, form, said):
    for value in form.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    answer = api.post("/ingest", form)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert not IngestionRun.objects.exists()
    assert not kept(settings)


def test_fields_of_a_form_are_not_taken_from_the_address(api):
    answer = api.post("/ingest?source=shop", {"file": file()})
    assert answer.status_code == 400
    assert "Send this as a form field" in answer.json()["detail"]


def test_dates_that_can_be_read_two_ways_fail_the_run_unless_it_is_said_how_they_are_meant(api):
    body = b"id,date\n1,03/04/2025\n"
    answer = api.post("/ingest?source=shop", body, content_type="text/csv")
    load(answer.json()["id"])
    told = api.get(answer["Location"]).json()
    assert (told["state"], told["ledger"]["read"]) == ("failed", 0)
    assert "are ambiguous" in told["error"]
    assert "timestamp_format in the API" in told["error"]
    form = {"file": file(body, "shop.csv"), "timestamp_format": "%d/%m/%Y"}
    assert api.post("/ingest", form).status_code == 202
    done = load(IngestionRun.objects.latest("pk").pk)
    assert done is not None
    assert done.created == 1
    assert str(DataRecord.objects.get().timestamp)[:10] == "2025-04-03"


def test_a_request_may_name_the_time_zone_of_its_rows(api):
    form = {"file": file(b"id,when\n1,2024-07-01 12:00\n", "shop.csv"), "timestamp_zone": "x"}
    assert "is not a time zone" in api.post("/ingest", form).json()["detail"]
    form = {"file": file(b"id,when\n1,2024-07-01 12:00\n", "shop.csv")}
    answer = api.post("/ingest", form | {"timestamp_zone": "Europe/Vienna"})
    load(answer.json()["id"])
    assert str(DataRecord.objects.get().timestamp) == "2024-07-01 10:00:00+00:00"


def test_a_run_stops_at_more_rejected_rows_than_it_was_given(api):
    body = b"id,value\n1\n2\n3,x\n"
    answer = api.post("/ingest?source=shop&max_rejects=1", body, content_type="text/csv")
    load(answer.json()["id"])
    told = api.get(answer["Location"]).json()
    assert told["error"].startswith("Stopped: 2 of 3 rows were rejected, and the limit is 1.")
    answer = api.post("/ingest", {"file": file(body, "shop.csv"), "max_rejects": " 70 % "})
    assert IngestionRun.objects.get(pk=answer.json()["id"]).max_rejects == "70%"


@pytest.mark.parametrize("content_type", ["application/xml", "application/x-www-form-urlencoded"])
def test_another_kind_of_body_is_a_415(api, content_type):
    assert api.post("/ingest?source=s", CSV, content_type=content_type).status_code == 415


def test_more_than_the_limit_is_a_413(api, settings, folder):
    settings.MAX_UPLOAD_BYTES = 10
    body = api.post("/ingest?source=s", CSV, content_type="text/csv")
    form = api.post("/ingest", {"file": file(), "source": "s"})
    for answer in (body, form):
        assert answer.status_code == 413
        assert "the limit is 10 bytes" in answer.json()["detail"]
    assert not IngestionRun.objects.exists()
    assert not kept(settings)


def test_a_disk_that_is_full_is_a_507_and_no_run(api, settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "a file"
    settings.INPUT_DIR.write_text("")
    answer = api.post("/ingest?source=s", CSV, content_type="text/csv")
    assert answer.status_code == 507
    assert "can't be stored" in answer.json()["detail"]
    assert not IngestionRun.objects.exists()


def test_sending_needs_to_be_known_and_its_permission(sender, settings):
    assert APIClient().post("/ingest?source=s", CSV, content_type="text/csv").status_code == 401
    reader = viewer("reader")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token_of(reader)}")
    assert client.post("/ingest?source=s", CSV, content_type="text/csv").status_code == 403
    assert client.post("/ingest", {"file": file()}).status_code == 403
    assert not kept(settings)
    assert not IngestionRun.objects.exists()


def test_a_session_needs_its_csrf_token(sender, settings):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(sender)
    assert client.post("/ingest?source=s", CSV, content_type="text/csv").status_code == 403
    assert client.post("/ingest", {"file": file()}).status_code == 403
    assert not kept(settings)
    token = "a" * 32
    client.cookies["csrftoken"] = token
    for answer in (
        client.post(
            "/ingest?source=s", CSV, content_type="text/csv", headers={"x-csrftoken": token}
        ),
        client.post("/ingest", {"file": file(), "csrfmiddlewaretoken": token}),
    ):
        assert answer.status_code == 202


def test_it_is_browsable(sender):
    client = APIClient()
    client.force_login(sender)
    page = client.get("/api/ingest", headers={"accept": "text/html"})
    assert page.status_code == 405
    assert b'name="file"' in page.content
    sent = client.post("/api/ingest", {"file": file()}, headers={"accept": "text/html"})
    assert sent.status_code == 202
    assert b"orders.csv" in sent.content


Send = Callable[..., tuple[str, bool]]


@pytest.fixture
def send(live_server, settings, folder) -> Send:
    """Sends in two parts, by hand; the answer, and whether anything was stored in between, for
    which it waits so many seconds."""

    def send(
        user: User | None,
        *,
        form: bool,
        whole: bool = True,
        seconds: float = 30,
        scope: TokenScope = TokenScope.WRITE,
    ) -> tuple[str, bool]:
        part = b"id,value\n" + b"1,2\n" * 400_000
        start = end = b""
        content_type = "text/csv"
        if form:
            content_type = "multipart/form-data; boundary=x"
            start = (
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
            )
            end = b"\r\n--x--\r\n"
        body = BytesIO(start + 2 * part + end)
        address = urlsplit(live_server.url)
        head = (
            f"POST /ingest{'' if form else '?source=big'} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body.getvalue())}\r\n"
            "Connection: close\r\n"
        )
        if user is not None:
            head += f"Authorization: Token {token_of(user, scope=scope)}\r\n"
        with socket.create_connection((address.hostname, address.port), 10) as connection:
            connection.sendall(head.encode() + b"\r\n" + body.read(len(start) + len(part)))
            stored = comes_true(lambda: open_files_in(folder) or kept(settings), seconds=seconds)
            if whole:
                connection.sendall(body.read())
            else:
                connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        return answer.decode(), stored

    return send


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", [True, False])
def test_nothing_is_stored_before_it_is_known_who_sends(send, form, settings, folder):
    for user, status in ((None, 401), (viewer("reader"), 403)):
        answer, stored = send(user, form=form, seconds=0.5)
        assert answer.startswith(f"HTTP/1.1 {status}")
        assert not stored
    assert not kept(settings)
    assert comes_true(lambda: not open_files_in(folder), seconds=30)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", [True, False])
def test_what_is_sent_with_a_token_for_reading_is_not_stored(send, form, settings, folder):
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    answer, stored = send(user, form=form, seconds=0.5, scope=TokenScope.READ)
    assert answer.startswith("HTTP/1.1 403")
    assert "may only read" in answer
    assert not stored
    assert not kept(settings)
    assert comes_true(lambda: not open_files_in(folder), seconds=30)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", [True, False])
def test_what_a_token_may_send_is_streamed_to_disk(send, form, folder):
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    answer, stored = send(user, form=form)
    assert answer.startswith("HTTP/1.1 202")
    assert stored
    assert comes_true(lambda: not open_files_in(folder), seconds=30)
    assert IngestionRun.objects.get().size > 2_000_000


@pytest.mark.django_db(transaction=True)
def test_a_body_that_ends_early_is_refused_and_not_kept(send, settings):
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    answer, stored = send(user, form=False, whole=False)
    assert answer.startswith("HTTP/1.1 400")
    assert "The body ended after 1,600,009 of 3,200,018 bytes." in answer
    assert stored
    assert not kept(settings)
    assert not IngestionRun.objects.exists()


@pytest.mark.parametrize(
    ("kind", "content", "created"),
    [
        ("application/vnd.ms-excel", (DATA / "months.xls").read_bytes(), 4),
        ("text/html", b"<table><tr><td>id<td>n<tr><td>1<td>2</table>", 1),
        ("Application/X-NDJSON", b'{"id": {"a": 1}}\n{"id": {"a": 2}}\n', 2),
        ("application/json", b'[{"page": 1}, [{"id": 1}, {"id": 2}]]', 2),
    ],
)
def test_a_body_may_be_a_workbook_or_any_shape_of_json(api, kind, content, created):
    response = api.post("/ingest?source=shop", content, content_type=kind)
    assert response.status_code == 202
    run = load(response.data["id"])
    assert run is not None
    assert (run.created, run.error) == (created, "")


def test_the_kind_of_a_body_is_known_in_any_case(api, tmp_path):
    path = tmp_path / "book.xlsb"
    write_xlsb(path, {"S": [["id", "n"], ["a", 1.5]]})
    kind = "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
    for content, created, error in ((path.read_bytes(), 1, ""), (b"x", 0, "damaged")):
        response = api.post("/ingest?source=shop", content, content_type=kind)
        assert response.status_code == 202
        run = load(response.data["id"])
        assert run is not None
        assert run.created == created
        assert error in run.error
