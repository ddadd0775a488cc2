"""POST /sources/NAME/events: events become rows of a run that stays open."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion.events import queue as service
from ingestion.loading import rekey, repair, undo
from ingestion.loading.load_file import LoadFile
from records.jobs import sweep
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    IdempotencyKey,
    IngestionRun,
    OnConflict,
    ProcessingRun,
    Receipt,
    RecordVersion,
    RejectedRow,
    RowOutcomes,
    RunState,
    Source,
)
from tests.factories import WORKER, counted, recounted
from tests.ingestion.events.conftest import URL, client_of, may_import, send, told

pytestmark = pytest.mark.django_db

CLOUD = "application/cloudevents+json"
CLOUDS = "application/cloudevents-batch+json"


def shop(**fields: Any) -> Source:
    """A source whose key is in the column ``key``."""
    mapping = {"id": ["key"], "timestamp": [], "value": [], "category": []}
    return Source.objects.create(name="shop", mapping=mapping, **fields)


def cloud_event(number: str, source: str = "/a", **more: Any) -> dict[str, Any]:
    named = {"specversion": "1.0", "id": number, "source": source, "type": "sold"}
    return {**named, "data": {"n": 1}, **more}


def test_requests_are_rows_of_one_run_which_stays_open(api, sender):
    shop()
    first = send(api, [{"key": "a", "n": 1}, {"key": "b", "n": 2}])
    assert told(first) == [("created", "shop:a"), ("created", "shop:b")]
    second = send(api, {"key": "b", "n": 3})
    third = send(
        api, b'{"key": "a", "n": 1}\n\n{"n": 4}\n5\n', kind="application/x-ndjson", status=207
    )
    assert told(second) == [("updated", "shop:b")]
    assert told(third) == [("unchanged", "shop:a"), ("rejected", None), ("rejected", None)]
    assert [each["line"] for each in third["outcomes"]] == [4, 5, 6]
    assert [each.get("code") for each in third["outcomes"]] == [
        None,
        "missing_key",
        "not_an_object",
    ]
    assert third["ledger"] == {"read": 3, "created": 0, "updated": 0, "unchanged": 1, "rejected": 2}
    run = IngestionRun.objects.get()
    assert {first["run"], second["run"], third["run"]} == {run.pk}
    assert (run.state, run.user, run.doing, str(run)) == (
        "running", sender, "Receiving events", f"run {run.pk}: Events",
    )  # fmt: skip
    assert (run.read, run.created, run.updated, run.unchanged, run.rejected) == (6, 2, 1, 1, 2)
    assert DataRecord.objects.get(pk="shop:b").line == 3
    row = RejectedRow.objects.get(pk=third["outcomes"][1]["rejected_row"])
    assert (row.line, bytes(row.raw)) == (5, b'{"n": 4}')


@pytest.mark.parametrize("url", [URL, "/api/sources/shop/events"])
def test_events_are_taken_with_and_without_a_version(api, url):
    assert told(send(api, {"id": "1"}, url=url)) == [("created", "shop:1")]


def test_a_new_source_gets_its_mapping_from_its_first_events(api):
    at = "2026-03-04T05:06:07Z"
    send(
        api,
        [{"order_id": "A-1", "at": at, "amount": 5}, {"order_id": "A-2", "at": at, "amount": 6}],
    )
    source = Source.objects.get()
    assert (source.mapping["id"], source.mapping["timestamp"]) == (["order_id"], ["at"])
    assert source.columns == IngestionRun.objects.get().columns == ["order_id", "at", "amount"]
    record = DataRecord.objects.get(pk="shop:A-1")
    assert record.timestamp.isoformat() == "2026-03-04T05:06:07+00:00"
    assert record.data == {"order_id": "A-1", "at": at, "amount": 5}


def test_events_that_can_not_be_mapped_are_refused_as_a_whole(api):
    answer = send(api, [{"id": "1", "date": "01/02/2026"}], status=422)
    assert "date" in answer["detail"]
    assert not Source.objects.exists()
    assert not IngestionRun.objects.exists()


def test_new_columns_become_columns_of_run_and_source(api):
    shop(columns=["key", "n"])
    send(api, {"key": "a", "deep": {"er": 1}, "list": [1]})
    assert DataRecord.objects.get().data == {"key": "a", "deep.er": 1, "list": [1]}
    assert Source.objects.get().columns == ["key", "n", "deep.er", "list"]
    assert IngestionRun.objects.get().columns == ["key", "n", "deep.er", "list"]


def test_an_event_that_would_give_the_source_too_many_columns_is_rejected(api):
    shop()
    wide = {"key": "b", **{f"c{n}": 1 for n in range(1_001)}}
    answer = send(api, [{"key": "a"}, wide, {"key": "c"}], status=207)
    assert [each.get("code") for each in answer["outcomes"]] == [None, "unstorable", None]
    assert Source.objects.get().columns == ["key"]


def test_two_equal_events_without_an_id_are_two_events(api):
    Source.objects.create(
        name="shop", mapping={"id": [], "timestamp": [], "value": [], "category": []}
    )
    first = send(api, [{"n": 1}, {"n": 1}])
    second = send(api, {"n": 1})
    ids = [each["id"] for each in first["outcomes"] + second["outcomes"]]
    assert len(set(ids)) == 3
    assert ids == sorted(ids)
    assert DataRecord.objects.count() == 3


@pytest.mark.parametrize(
    ("policy", "outcome", "status"),
    [
        (OnConflict.UPDATE, "updated", 201),
        (OnConflict.MERGE, "updated", 201),
        (OnConflict.KEEP, "unchanged", 201),
        (OnConflict.REJECT, "rejected", 207),
    ],
)
def test_the_policy_of_the_source_decides_about_existing_records(api, policy, outcome, status):
    shop(on_conflict=policy)
    send(api, {"key": "a", "n": 1, "m": 2})
    answer = send(api, [{"key": "a", "n": 9}], status=status)
    assert answer["outcomes"][0]["outcome"] == outcome
    if policy == OnConflict.MERGE:
        assert DataRecord.objects.get().data == {"key": "a", "n": 9, "m": 2}
    if policy == OnConflict.REJECT:
        assert bytes(RejectedRow.objects.get().raw) == b'{"key": "a", "n": 9}'


def test_an_unreadable_timestamp_is_imported_without_and_noted(api):
    shop()
    Source.objects.update(mapping={**Source.objects.get().mapping, "timestamp": ["at"]})
    send(api, [{"key": "a", "at": "2026-03-04T05:06:07Z"}, {"key": "b", "at": "soon"}])
    assert DataRecord.objects.get(pk="shop:b").timestamp is None
    assert "event 2" in IngestionRun.objects.get().notes[0]


# --- CloudEvents


def test_a_cloud_event_is_known_by_its_source_and_id(api):
    first = send(api, cloud_event("1", time="2026-03-04T05:06:07Z"), kind=CLOUD)
    assert told(first) == [("created", "shop:/a|1")]
    record = DataRecord.objects.get()
    assert record.data == {
        "n": 1, "ce_specversion": "1.0", "ce_id": "1", "ce_source": "/a", "ce_type": "sold",
        "ce_time": "2026-03-04T05:06:07Z",
    }  # fmt: skip
    assert record.timestamp.isoformat() == "2026-03-04T05:06:07+00:00"
    batch = [
        cloud_event("1", time="2026-03-04T05:06:07Z"),
        cloud_event("1", source="/b"),
        cloud_event("1", time="2026-03-04T05:06:07Z", data={"n": 2}),
    ]
    second = send(api, batch, kind=CLOUDS)
    assert told(second) == [
        ("duplicate", "shop:/a|1"), ("created", "shop:/b|1"), ("updated", "shop:/a|1"),
    ]  # fmt: skip
    assert second["ledger"] == {
        "read": 3,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "rejected": 0,
    }
    assert IngestionRun.objects.get().unchanged == 1


def test_the_attributes_of_a_cloud_event_may_be_headers(api):
    headers = {"ce-id": "7", "ce-source": "/a%20b", "ce-type": "sold", "ce-specversion": "1.0"}
    assert told(send(api, {"n": 1}, headers=headers)) == [("created", "shop:/a b|7")]
    assert told(send(api, {"n": 1}, headers=headers)) == [("duplicate", "shop:/a b|7")]
    headers["ce-id"] = "8"
    send(api, [1, 2], headers=headers)
    assert DataRecord.objects.get(pk="shop:/a b|8").data["data"] == [1, 2]


def test_the_id_columns_of_the_source_come_before_the_id_of_the_event(api):
    shop()
    first = cloud_event("1", data={"key": "x", "n": 1})
    assert told(send(api, first, kind=CLOUD)) == [("created", "shop:x")]
    assert told(send(api, cloud_event("1"), kind=CLOUD)) == [("created", "shop:/a|1")]
    # Another event says the same of the record: that is no duplicate.
    Source.objects.update(on_conflict=OnConflict.KEEP)
    again = cloud_event("2", data={"key": "x", "n": 1})
    assert told(send(api, again, kind=CLOUD)) == [("unchanged", "shop:x")]


def test_a_long_id_of_an_event_is_shortened(api):
    number = "7" * 400
    (first,) = told(send(api, cloud_event(number), kind=CLOUD))
    assert told(send(api, cloud_event(number), kind=CLOUD)) == [("duplicate", first[1])]
    assert len(first[1] or "") < 60


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"id": None}, "ce_id"),
        ({"source": " "}, "ce_source"),
        ({"type": 5}, "ce_type"),
        ({"specversion": "0.3"}, "ce_specversion"),
    ],
)
def test_an_invalid_cloud_event_is_rejected_alone(api, change, column):
    events = [cloud_event("1"), {**cloud_event("2"), **change}]
    answer = send(api, events, kind=CLOUDS, status=207)
    found = answer["outcomes"][1]
    assert (found["code"], found["column"]) == ("invalid_event", column)
    assert answer["outcomes"][0]["outcome"] == "created"


def test_a_cloud_event_with_an_attribute_twice_or_that_is_no_object_is_rejected(api):
    twice = json.dumps(cloud_event("1"))[:-1] + ', "id": "2"}'
    answer = send(api, f"[{twice}, 17, {{}}]", kind=CLOUDS, status=207)
    assert [each["code"] for each in answer["outcomes"]] == [
        "invalid_event", "not_an_object", "invalid_event",
    ]  # fmt: skip


# --- repeating a request


def test_a_repeated_key_gives_the_same_answer_and_changes_nothing(api):
    shop()
    body = [{"key": "a", "n": 1}, {"n": 2}]
    first = send(api, body, status=207, key="k-1")
    send(api, {"key": "a", "n": 5})
    answer = api.post(
        URL, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": "k-1"}
    )
    assert answer["Idempotent-Replayed"] == "true"
    assert (answer.status_code, answer.json()) == (207, first)
    assert DataRecord.objects.get().data == {"key": "a", "n": 5}
    assert RejectedRow.objects.count() == 1
    refused = send(api, [{"key": "b"}], status=422, key="k-1")
    assert "different request" in refused["detail"]


def test_a_key_belongs_to_its_sender_and_to_the_endpoint(api, settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    shop()
    send(api, {"key": "a"}, key="k-1")
    other = client_of(may_import("other"))
    assert told(send(other, {"key": "b"}, key="k-1")) == [("created", "shop:b")]
    send(api, {"key": "a"}, url="/api/records?source=shop", status=422, key="k-1")
    send(api, {"key": "c"}, url="/api/records?source=shop", key="k-2")
    send(api, {"key": "c"}, status=422, key="k-2")


def test_with_a_key_events_without_an_id_get_the_same_again(api):
    Source.objects.create(
        name="shop", mapping={"id": [], "timestamp": [], "value": [], "category": []}
    )
    first = send(api, [{"n": 1}, {"n": 1}], key="k-1")
    IdempotencyKey.objects.all().delete()  # as after two days
    second = send(api, [{"n": 1}, {"n": 1}], key="k-1")
    assert [each["id"] for each in first["outcomes"]] == [each["id"] for each in second["outcomes"]]
    assert DataRecord.objects.count() == 2


def test_keys_and_outcomes_are_kept_for_two_days_however_long_the_run_is_open(api):
    shop()
    send(api, {"key": "a"}, key="k-1")
    send(api, {"key": "b"})
    long_ago = timezone.now() - timedelta(hours=49)
    IngestionRun.objects.update(created_at=long_ago)
    LoadFile.tidy()
    assert IdempotencyKey.objects.count() == RowOutcomes.objects.count() == 1
    IngestionRun.objects.update(state=RunState.FINISHED, finished_at=long_ago)
    IdempotencyKey.objects.update(created_at=long_ago)
    LoadFile.tidy()
    assert IdempotencyKey.objects.count() == RowOutcomes.objects.count() == 0


# --- the run


def ended(run: IngestionRun) -> IngestionRun:
    """The run once no event has come for long enough."""
    IngestionRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    (stalled,) = sweep.stalled(IngestionRun)
    done = work_on(stalled, WORKER)
    assert done is not None
    return done


def test_a_run_without_events_is_ended_and_the_next_event_opens_another(api):
    shop()
    send(api, {"key": "a"})
    run = ended(IngestionRun.objects.get())
    assert (run.state, run.read) == ("finished", 1)
    assert Receipt.objects.get().run_id == run.pk
    assert send(api, {"key": "b"})["run"] != run.pk
    assert IngestionRun.objects.get(pk=run.pk).read == 1


def test_a_run_ends_with_its_day_or_when_the_mapping_changes(api):
    shop()
    first = send(api, {"key": "a"})["run"]
    IngestionRun.objects.update(created_at=timezone.now() - timedelta(days=1))
    second = send(api, {"key": "b"})["run"]
    source = Source.objects.get()
    Source.objects.update(mapping={**source.mapping, "id": ["other"]})
    third = send(api, {"key": "c", "other": "d"})
    assert len({first, second, third["run"]}) == 3
    assert told(third) == [("created", "shop:d")]
    states = dict(IngestionRun.objects.values_list("pk", "state"))
    assert states == {first: "finished", second: "finished", third["run"]: "running"}


def test_each_sender_has_a_run(api):
    shop()
    other = client_of(may_import("other"))
    assert send(api, {"key": "a"})["run"] != send(other, {"key": "b"})["run"]


def test_a_cancelled_run_takes_no_more_events(api):
    shop()
    first = send(api, {"key": "a"})["run"]
    api.post(f"/api/v1/runs/ingestion/{first}/cancel")
    assert send(api, {"key": "b"})["run"] != first
    assert IngestionRun.objects.get(pk=first).state == "cancelled"


def test_an_open_run_can_be_undone(api):
    shop()
    first = send(api, [{"key": "a"}, {"key": "b"}])["run"]
    assert undo.preview(IngestionRun.objects.get()).obstacle == ""
    created = undo.create_undo(run=IngestionRun.objects.get(), trigger="test")
    work_on(created, WORKER)
    assert not DataRecord.objects.exists()
    assert IngestionRun.objects.get(pk=first).state == "undone"
    assert counted() == recounted()
    assert send(api, {"key": "a"})["run"] != first


def test_a_rejected_event_is_repaired_like_any_row(api):
    shop()
    answer = send(api, [{"n": 1}, {"key": "b"}], status=207)
    row = RejectedRow.objects.get(pk=answer["outcomes"][0]["rejected_row"])
    made, _ = repair.repair(row=row, text='{"key": "a", "n": 1}', trigger="test", user=None)
    work_on(made, WORKER)
    record = DataRecord.objects.get(pk="shop:a")
    assert (record.line, record.data) == (1, {"key": "a", "n": 1})
    assert IngestionRun.objects.get(pk=answer["run"]).state == "finished"


def test_a_repaired_cloud_event_has_its_own_id(api):
    answer = send(
        api, [cloud_event("1"), {**cloud_event("2"), "type": None}], kind=CLOUDS, status=207
    )
    row = RejectedRow.objects.get(pk=answer["outcomes"][1]["rejected_row"])
    text = bytes(row.raw).decode().replace('"ce_type": null', '"ce_type": "sold"')
    work_on(repair.repair(row=row, text=text, trigger="test", user=None)[0], WORKER)
    assert DataRecord.objects.filter(pk="shop:/a|2").exists()


def test_while_records_get_another_key_events_are_refused_and_the_run_ends(api):
    shop()
    first = send(api, {"key": "a", "other": "x"})["run"]
    rekeying = rekey.create_rekey(source=Source.objects.get(), columns=["other"], trigger="test")
    answer = api.post(URL, '{"key": "b", "other": "y"}', content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert IngestionRun.objects.get(pk=first).state == "finished"
    work_on(rekeying, WORKER)
    assert told(send(api, {"key": "b", "other": "y"})) == [("created", "shop:y")]


def test_workers_are_woken_by_events(api, django_capture_on_commit_callbacks):
    shop()
    send(api, {"key": "a"})
    assert ProcessingRun.objects.get().state == "queued"
    send(api, {"key": "b"})
    assert ProcessingRun.objects.count() == 1


# --- who may, and what the server can't do


def test_only_who_may_import_sends_events(api, settings):
    reader = client_of(User.objects.create_user("nobody"))
    send(reader, {"key": "a"}, status=403)
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"", "application/json", "no body"),
        (b"[]", "application/json", "no items"),
        (b'[{"key": "a"}', "application/json", "ends too early"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        (b"{" * 5, CLOUDS, "not valid"),
        (b"\n\n", "application/x-ndjson", "no items"),
    ],
)
def test_a_body_that_can_not_be_read_is_refused(api, body, kind, reason):
    assert reason in send(api, body, kind=kind, status=400)["detail"]
    assert not Source.objects.exists()


def test_at_most_10000_events_are_taken(api):
    body = "[" + ",".join(["{}"] * 10_001) + "]"
    assert "10,000" in send(api, body, status=413)["detail"]


def test_a_full_queue_says_when_to_come_again(api, monkeypatch):
    shop()
    monkeypatch.setattr(service, "MAX_WAITING", 1)
    monkeypatch.setattr(service.queue, "_events", 1)
    answer = api.post(URL, '{"key": "a"}', content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert not DataRecord.objects.exists()


def test_a_database_that_is_away_says_when_to_come_again(api, monkeypatch):
    shop()

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("ingestion.events.landing.store.land", away)
    answer = api.post(URL, '{"key": "a"}', content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"
    monkeypatch.undo()
    assert not IngestionRun.objects.exists()
    assert service.queue._events == 0
    send(api, {"key": "a"})


# --- outcomes, ledger and tables agree

EVENTS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"key": st.sampled_from("abcd")}, optional={"n": st.integers(0, 2)}),
        st.sampled_from([{}, {"key": ""}, 1, None, "x", [1], {"key": "\0"}]),
    ),
    min_size=1,
    max_size=8,
)


@given(
    bodies=st.lists(st.tuples(EVENTS, st.sampled_from(["", "k-1", "k-2"])), min_size=1, max_size=4),
    policy=st.sampled_from(list(OnConflict)),
)
@hypothesis_settings(max_examples=25)
def test_outcomes_ledger_and_records_agree(emptied, bodies, policy):
    client = client_of(emptied())
    shop(on_conflict=policy)
    totals: Counter[str] = Counter()
    used: dict[str, tuple[Any, Any]] = {}
    for body, key in bodies:
        before = set(DataRecord.objects.values_list("pk", flat=True))
        headers = {"Idempotency-Key": key} if key else {}
        answer = client.post(
            URL, json.dumps(body), content_type="application/json", headers=headers
        )
        if key in used:
            if used[key][0] == body:
                assert answer.json() == used[key][1]
            else:
                assert answer.status_code == 422
            assert set(DataRecord.objects.values_list("pk", flat=True)) == before
            continue
        assert answer.status_code in (201, 207)
        if key:
            used[key] = (body, answer.json())
        found = Counter(each["outcome"] for each in answer.json()["outcomes"])
        first = totals["read"] + 1
        lines = [each["line"] for each in answer.json()["outcomes"]]
        assert lines == list(range(first, first + len(body)))
        totals += found
        totals["read"] += len(body)
        after = set(DataRecord.objects.values_list("pk", flat=True))
        made = [each["id"] for each in answer.json()["outcomes"] if each["outcome"] == "created"]
        assert sorted(made) == sorted(after - before)
    run = IngestionRun.objects.get()
    ledger = {
        name: getattr(run, name) for name in ("read", "created", "updated", "unchanged", "rejected")
    }
    assert {name: number for name, number in ledger.items() if number} == dict(totals)
    assert run.rejected_rows.count() == totals["rejected"]
    assert RecordVersion.objects.count() == totals["updated"]
    assert counted() == recounted()


@pytest.fixture
def emptied() -> Any:
    """Empties the tables between the examples of a test; returns someone who may import."""

    def reset() -> User:
        for model in (IdempotencyKey, RejectedRow, DataRecord, IngestionRun, ProcessingRun, Source):
            model.objects.all().delete()
        for table in ("record_counts", "record_versions"):
            connection.cursor().execute(f"DELETE FROM {table}")
        User.objects.filter(username="anyone").delete()
        return User.objects.create_superuser("anyone")

    return reset


def test_the_page_of_a_run_of_events_shows_no_file(api, client):
    shop()
    run = send(api, [{"key": "a"}, {}], status=207)["run"]
    client.force_login(User.objects.create_superuser("admin"))
    page = client.get(f"/runs/ingestion/{run}/").content.decode()
    assert "Receiving events" in page
    assert "Undo this run" in page
    assert "Encoding" not in page
    assert "Delimiter" not in page
    assert "these events?" in client.get(f"/runs/ingestion/{run}/undo/").content.decode()
    assert "Events" in client.get("/runs/").content.decode()
