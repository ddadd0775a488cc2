"""POST /records: items in one body become records, with an outcome for each."""

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import close_old_connections, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ingestion.loading import items as service
from ingestion.loading.load_file import LoadFile
from ingestion.loading.undo import create_undo
from ingestion.parsing import limits
from records.database import bulk
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    IdempotencyKey,
    IngestionRun,
    OnConflict,
    RejectedRow,
    RowOutcomes,
    Source,
)
from tests.factories import WORKER, Died, counted, recounted
from tests.people import viewer

pytestmark = pytest.mark.django_db
URL = "/api/records?source=shop&id=key"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.INPUT_DIR = tmp_path / "inputs"
    return settings.INPUT_DIR


@pytest.fixture
def user() -> User:
    user = viewer("sender")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    return user


@pytest.fixture
def api(user) -> APIClient:
    return client_of(user)


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def send(
    api: APIClient, body: Any, url: str = URL, status: int = 201, key: str | None = None
) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = api.post(url, text, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.json()
    return answer.json()


def outcomes(told: Any) -> list[tuple[int, str, str | None]]:
    return [(each["line"], each["outcome"], each["id"]) for each in told["outcomes"]]


def test_each_item_has_its_outcome_in_order(api):
    told = send(api, [{"key": "a", "n": 1}, {"key": "b", "n": 2}])
    assert outcomes(told) == [(1, "created", "shop:a"), (2, "created", "shop:b")]
    told = send(api, [{"key": "b", "n": 3}, {"key": "a", "n": 1}, {"n": 4}, 5], status=207)
    assert outcomes(told) == [
        (1, "updated", "shop:b"),
        (2, "unchanged", "shop:a"),
        (3, "rejected", None),
        (4, "rejected", None),
    ]
    assert [each["code"] for each in told["outcomes"][2:]] == ["missing_key", "not_an_object"]
    assert told["ledger"] == {
        "read": 4, "created": 0, "updated": 1, "unchanged": 1, "rejected": 2,
    }  # fmt: skip
    assert DataRecord.objects.get(pk="shop:b").data == {"key": "b", "n": 3}


def test_a_rejected_item_is_a_rejected_row_with_its_bytes_and_place(api):
    told = send(api, b'[ {"key": "a"},\n {\n"n":  1.50 } ]', status=207)
    row = RejectedRow.objects.get(pk=told["outcomes"][1]["rejected_row"])
    assert (row.line, bytes(row.raw), row.run_id) == (2, b'{ "n":  1.50 }\n', told["run"])


def test_the_body_may_be_one_object_or_lines_or_name_the_source(api):
    assert outcomes(send(api, {"key": "a"})) == [(1, "created", "shop:a")]
    lines = b'{"key": "b"}\n\n{"key": "c"\n{"key": "d\xff"}\n'
    answer = api.post(URL, lines, content_type="application/x-ndjson")
    assert answer.status_code == 207
    assert [(e["line"], e.get("code")) for e in answer.json()["outcomes"]] == [
        (1, None), (3, "no_json"), (4, "bad_bytes"),
    ]  # fmt: skip
    body = {"source": "depot", "records": [{"id": "1", "list": [{"a": 1}]}]}
    told = send(api, body, url="/api/records?id=id")
    assert (told["source"], outcomes(told)) == ("depot", [(1, "created", "depot:1")])
    assert DataRecord.objects.get(pk="depot:1").data == body["records"][0]


def test_numbers_keep_their_digits(api):
    send(api, b'[{"key": 12345678901234567890123, "n": 1.10, "e": 1e400}]')
    record = DataRecord.objects.get()
    assert record.pk == "shop:12345678901234567890123"
    assert record.data["n"] == "1.10"
    assert record.data["e"] == "1e400"


def test_the_run_is_like_any_other(api, user, folder):
    told = send(api, [{"key": "a", "n": 1}])
    run = IngestionRun.objects.get(pk=told["run"])
    assert (run.trigger, run.user, run.state) == ("api", user, "finished")
    assert Path(run.path).read_bytes() == b'{"key": "a", "n": 1}\n'
    assert Path(run.path).is_relative_to(folder)
    assert api.get(f"/api/runs/{run.pk}").json()["ledger"] == told["ledger"]
    undo = create_undo(run=run, trigger="test")
    work_on(undo, WORKER)
    assert not DataRecord.objects.exists()


def test_items_may_lack_columns_that_the_source_has_mapped(api):
    columns = "&timestamp=at&value=n&category=kind"
    send(api, [{"key": "a", "at": "2026-03-04T05:06:07Z", "n": 1, "kind": "x"}], url=URL + columns)
    mapping = Source.objects.get().mapping
    told = send(api, [{"key": "b", "more": 1}], url="/api/records?source=shop")
    assert outcomes(told) == [(1, "created", "shop:b")]
    assert DataRecord.objects.get(pk="shop:b").timestamp is None
    assert Source.objects.get().mapping == mapping
    told = send(api, [{"n": 1}], url="/api/records?source=shop", status=207)
    assert told["outcomes"][0]["code"] == "missing_key"


@pytest.mark.parametrize(
    ("policy", "outcome", "status"),
    [
        (OnConflict.UPDATE, "updated", 201),
        (OnConflict.MERGE, "updated", 201),
        (OnConflict.KEEP, "unchanged", 201),
        (OnConflict.REJECT, "rejected", 207),
    ],
)
@pytest.mark.parametrize("twice", [False, True])
def test_the_policy_of_the_source_decides_about_existing_records(
    api, policy, outcome, status, twice
):
    send(api, [{"key": "a", "n": 1, "m": 2}])
    Source.objects.update(on_conflict=policy)
    items = [{"key": "a", "n": 1, "m": 2}] * twice + [{"key": "a", "n": 9}]
    told = send(api, items, status=status)
    assert [each["outcome"] for each in told["outcomes"]] == ["unchanged"] * twice + [outcome]
    if policy == OnConflict.MERGE:
        assert DataRecord.objects.get().data == {"key": "a", "n": 9, "m": 2}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no body"),
        (b"[]", "no items"),
        (b"  ", "ends too early"),
        (b'[{"key": "a"}', "ends too early at character 14"),
        (b'[{"key": "a"},]', "not valid at character 15"),
        (b'[{"key": "a"}] x', "not valid at character 16"),
        (b'{"key": "a"} {}', "not valid at character 14"),
        (b"-5.1e16", "neither an object nor an array of objects"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'[{"key": "\xff"}, \xff]', "not valid"),
    ],
)
def test_a_body_that_can_not_be_read_is_refused(api, body, reason):
    answer = api.post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]
    assert not IngestionRun.objects.exists()


def test_an_item_beyond_a_limit_is_rejected_alone(api, monkeypatch):
    deep = "[" * 300 + "]" * 300
    body = f'[{{"key": "a", "x": {deep}}}, {{"key": "b", "x": "{"y" * ((1 << 20) + 1)}"}}, ' + (
        '{"key": "c"}, {"key": "d", "x": NaN}, {"key": "e\\u0000"}, {"key": "f", "key": "g"}]'
    )
    told = send(api, body, status=207)
    assert [each.get("code") for each in told["outcomes"]] == [
        "nested_too_deeply", "cell_too_long", None, "no_json", "nul_character", "repeated_name",
    ]  # fmt: skip


def test_too_many_items_and_too_large_a_body_are_refused(api, monkeypatch):
    many = [{"key": n} for n in range(limits.MAX_ITEMS + 1)]
    assert "more than 10,000 items" in send(api, many, status=413)["detail"]
    lines = "\n".join(map(json.dumps, many))
    answer = api.post(URL, lines, content_type="application/x-ndjson")
    assert answer.status_code == 413
    large = b'[{"key": "' + b"x" * limits.MAX_ITEMS_BYTES + b'"}]'
    assert "the limit is 16" in send(api, large, status=413)["detail"]
    answer = api.post(URL, gzip.compress(b'{"key": 1}'), content_type="application/x-ndjson")
    assert answer.status_code == 400
    assert not IngestionRun.objects.exists()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/api/records", "source"),
        ("/api/records?source=a:b", "source"),
        ("/api/records?source=shop&status=raw", "status"),
        ("/api/records?source=shop&on_conflict=odd", "on_conflict"),
        ("/api/records?source=shop&number_format=odd", "number_format"),
        ("/api/records?source=shop&sheet=1", "sheet"),
    ],
)
def test_parameters_that_make_no_sense_are_named(api, url, name):
    assert name in send(api, [{"key": "a"}], url=url, status=400)["errors"]


def test_items_that_can_not_be_imported_as_a_whole_say_why(api):
    told = send(api, [{"key": "a", "at": "03/04/2026"}], url=f"{URL}&timestamp=at", status=422)
    assert "ambiguous" in told["detail"]
    assert not DataRecord.objects.exists()


def test_another_media_type_is_refused(api):
    assert api.post(URL, b"key\na\n", content_type="text/csv").status_code == 415


def test_who_may_not_import_may_not_create_records(api, user):
    user.user_permissions.clear()
    told = send(client_of(User.objects.get()), [{"key": "a"}], status=403)
    assert "import files" in told["detail"]
    assert APIClient().post(URL, b"[]", content_type="application/json").status_code == 401


def test_the_same_key_and_body_give_the_same_answer_and_change_nothing(api):
    headers = {"Idempotency-Key": "k-1"}
    told = send(api, [{"key": "a"}, {}], status=207, key="k-1")
    DataRecord.objects.update(version=7)
    answer = api.post(URL, '[{"key": "a"}, {}]', content_type="application/json", headers=headers)
    assert answer.status_code == 207
    assert answer.json() == told
    assert answer["Idempotent-Replayed"] == "true"
    assert IngestionRun.objects.count() == 1
    assert DataRecord.objects.get().version == 7


@pytest.mark.parametrize(
    ("url", "body"), [(URL, [{"key": "b"}]), (URL.replace("shop", "depot"), [{"key": "a"}])]
)
def test_the_same_key_with_another_request_is_refused(api, url, body):
    send(api, [{"key": "a"}], key="k-1")
    told = send(api, body, url=url, status=422, key="k-1")
    assert "used for a different request" in told["detail"]
    assert IngestionRun.objects.count() == 1


def test_keys_of_two_people_are_not_the_same(api):
    other = User.objects.create_superuser("other")
    send(api, [{"key": "a"}], key="k-1")
    send(client_of(other), [{"key": "b"}], key="k-1")
    assert IngestionRun.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\xe4", "a\tb"])
def test_a_key_that_makes_no_sense_is_refused(api, key):
    told = send(api, [{"key": "a"}], status=400, key=key)
    assert "Idempotency-Key" in told["errors"]


def test_a_request_that_died_is_finished_by_its_repetition(api, monkeypatch):

    def dies(self):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(LoadFile, "run", dies)
        with pytest.raises(Died):
            send(api, [{"key": "a"}], key="k-1")
    assert not DataRecord.objects.exists()
    # The lease of the one that died lapses.
    IngestionRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert outcomes(send(api, [{"key": "a"}], key="k-1")) == [(1, "created", "shop:a")]
    assert IngestionRun.objects.count() == 1


def test_a_run_that_can_not_end_now_goes_on_in_the_background(api, monkeypatch):
    monkeypatch.setattr(service, "WAIT_SECONDS", 0.1)

    def dies(self):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(LoadFile, "run", dies)
        with pytest.raises(Died):
            send(api, [{"key": "a"}], key="k-1")
    told = send(api, [{"key": "a"}], status=202, key="k-1")
    assert told["state"] == "running"


def test_keys_and_outcomes_are_forgotten_after_two_days(api):
    send(api, [{"key": "a"}], key="k-1")
    LoadFile.tidy()
    assert IdempotencyKey.objects.count() == RowOutcomes.objects.count() == 1
    before = timezone.now() - timedelta(hours=49)
    IdempotencyKey.objects.update(created_at=before)
    IngestionRun.objects.update(finished_at=before)
    LoadFile.tidy()
    assert IdempotencyKey.objects.count() == RowOutcomes.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_requests_with_one_key_at_once_one_imports(user):
    if not bulk.is_postgresql():
        pytest.skip("Threads of a test share one connection to SQLite.")
    body = json.dumps([{"key": str(n), "n": n} for n in range(200)])

    def repeat(_: int) -> tuple[int, str]:
        try:
            answer = client_of(user).post(
                URL, body, content_type="application/json", headers={"Idempotency-Key": "k"}
            )
            return answer.status_code, answer.content.decode()
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(repeat, range(12)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert IngestionRun.objects.count() == IdempotencyKey.objects.count() == 1
    assert DataRecord.objects.count() == 200


ITEMS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"key": st.sampled_from("abcd")}, optional={"n": st.integers(0, 2)}),
        st.sampled_from([{}, {"key": ""}, 1, None, "x", [1], {"key": "\0"}]),
    ),
    min_size=1,
    max_size=8,
)


@given(
    bodies=st.lists(ITEMS, min_size=1, max_size=3),
    policy=st.sampled_from(list(OnConflict)),
    batch=st.sampled_from([1, 3, 100]),
)
@hypothesis_settings(max_examples=25)
def test_outcomes_ledger_and_records_agree(emptied, settings, tmp_path, bodies, policy, batch):
    user = emptied()
    settings.INPUT_DIR, settings.BATCH_ROWS = tmp_path / "inputs", batch
    Source.objects.create(name="shop", on_conflict=policy)
    client = client_of(user)
    for body in bodies:
        before = set(DataRecord.objects.values_list("pk", flat=True))
        answer = client.post(URL, json.dumps(body), content_type="application/json")
        assert answer.status_code in (201, 207)
        told = answer.json()
        found = Counter(each["outcome"] for each in told["outcomes"])
        ledger = told["ledger"]
        assert ledger.pop("read") == len(body)
        assert {name: number for name, number in ledger.items() if number} == found
        assert [each["line"] for each in told["outcomes"]] == list(range(1, len(body) + 1))
        after = set(DataRecord.objects.values_list("pk", flat=True))
        created = [each["id"] for each in told["outcomes"] if each["outcome"] == "created"]
        assert sorted(created) == sorted(after - before)
        run = IngestionRun.objects.get(pk=told["run"])
        assert run.rejected_rows.count() == found["rejected"]
        assert counted() == recounted()


@pytest.fixture
def emptied() -> Any:
    """Empties the tables between the examples of a test; returns someone who may import."""

    def reset() -> User:
        DataRecord.objects.all().delete()
        IngestionRun.objects.all().delete()
        Source.objects.all().delete()
        connection.cursor().execute("DELETE FROM record_counts")
        connection.cursor().execute("DELETE FROM record_versions")
        User.objects.filter(username="anyone").delete()
        return User.objects.create_superuser("anyone")

    return reset
