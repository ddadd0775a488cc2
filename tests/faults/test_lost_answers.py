"""The answer to a COMMIT is lost, each one of a run in turn: nothing is lost, nothing doubled.

A connection that breaks says nothing about its transaction. Whoever goes on reads in the database
how far the work is: the ledger of a run, the batches and open rows that are left, a cursor.
"""

import io
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from ingestion.feeds import services as feeds
from ingestion.feeds.jobs import FetchAPI
from ingestion.loading import dry_runs, replay, undo
from ingestion.loading import runs as ingestion_runs
from processing.jobs import process as processing_runs
from records import store
from records.jobs import leases
from records.jobs.runner import work_on
from records.jobs.sweep import wake_stalled
from records.jobs.workers import worker_name
from records.models import (
    DataRecord,
    DryRun,
    Feed,
    IngestionRun,
    ProcessingBatch,
    ProcessingResult,
    ProcessingRun,
    RecordVersion,
    RejectedRow,
    RunState,
    Selection,
    Source,
    TextChange,
    Undo,
)
from records.store import text_index
from tests.apis import Reply, Request, serving
from tests.factories import Died, counted, load, recounted
from tests.lost_answers import Proxy, losing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connections"),
]

COUNTS = ("read", "created", "updated", "unchanged", "rejected")
ROWS: list[dict[str, Any]] = [{"id": str(number), "number": number} for number in range(35)]
# So often a run may be taken up before it ends.
MOST_TURNS = 8


@pytest.fixture
def proxy(settings) -> Iterator[Proxy]:
    """The database is reached through it."""
    settings.BATCH_ROWS = 10
    was = dict(connection.settings_dict)
    with losing(was["HOST"] or "127.0.0.1", int(was["PORT"] or 5432)) as made:
        connection.close()
        options = was["OPTIONS"] | {"sslmode": "disable", "gssencmode": "disable"}
        connection.settings_dict.update(HOST="127.0.0.1", PORT=made.port, OPTIONS=options)
        yield made
        connection.close()
        connection.settings_dict.update(was)


@pytest.fixture
def api(settings, tmp_path) -> Iterator[str]:
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]

    def answer(request: Request) -> Reply:
        since = int(request.query.get("since", -1))
        return Reply([row for row in ROWS if row["number"] > since])

    with serving(answer) as server:
        yield f"{server.url}/rows"


@pytest.fixture(params=["its worker goes on", "its worker is killed"])
def is_killed(request, monkeypatch) -> bool:
    """Whether the worker that is not answered ends at once, as by ``kill -9``."""
    if request.param == "its worker goes on":
        return False

    def die(*args: Any, **more: Any) -> None:
        raise Died

    monkeypatch.setattr(leases, "put_back", die)
    return True


def until_it_ends(model: Any) -> Callable[[int], None]:
    """Have the newest run worked on by one worker after the other until it has ended."""

    def work(number: int) -> None:
        for _ in range(MOST_TURNS):
            try:
                work_on(model.objects.get(pk=number), worker_name())
            except (Died, OperationalError):  # of the latter it was not able to begin
                connection.close()
            ended = model.objects.filter(pk=number).active()
            if not ended.exists():
                return
            # Its lease lapses, or the pause that it makes is over.
            ended.update(lease_until=timezone.now().replace(year=2020), retry_at=None)
            ProcessingBatch.objects.update(lease_until=timezone.now().replace(year=2020))
        raise AssertionError("the run does not end")

    return work


work_on_load = until_it_ends(IngestionRun)
work_on_undo = until_it_ends(Undo)
work_on_dry_run = until_it_ends(DryRun)
work_on_processing = until_it_ends(ProcessingRun)


def table(rows: int, *, changed: int = 0) -> str:
    """Rows of which some are rejected, some repeat a key, and some differ from the last table."""
    lines = ["id,timestamp,value"]
    for number in range(rows):
        if number % 9 == 4:
            lines.append(f"{number}")
        elif number % 9 == 7:
            lines.append(f"{number - 1},2026-01-02,{number}")
        else:
            lines.append(f"{number},2026-01-01,{number + (number % 5 < changed)}")
    return "\n".join(lines) + "\n"


def new_load(path: Path, source: str) -> IngestionRun:
    return ingestion_runs.create_run(
        path=path, file_name=path.name, trigger="test", source_name=source,
        roles={"id": ["id"], "timestamp": ["timestamp"], "value": ["value"]},
    )  # fmt: skip


def landing(path: Path, source: str, api: str) -> Callable[[], None]:
    """A file into a source that has some of its records."""
    path.write_text(table(25))
    load(path, source, id=["id"], timestamp=["timestamp"], value=["value"])
    path.write_text(table(60, changed=2))
    run = new_load(path, source)
    return lambda: work_on_load(run.pk)


def replaying(path: Path, source: str, api: str) -> Callable[[], None]:
    """Rejected rows, of which most have been repaired, and some are rejected again."""
    path.write_text(table(230))
    run = load(path, source, id=["id"], timestamp=["timestamp"], value=["value"])
    for row in run.rejected_rows.all():
        if row.line % 3:
            store.fix_row(row=row, text=f"{9000 + row.line},2026-01-03,7")
    made = replay.create_replay(run=run, trigger="test")
    return lambda: work_on_load(made.pk)


def loading_repaired(path: Path, source: str, api: str) -> Callable[[], None]:
    """The file of rejected rows comes back, repaired."""
    path.write_text(table(230))
    run = load(path, source, id=["id"], timestamp=["timestamp"], value=["value"])
    lines = "".join(replay.repaired_csv(run)).splitlines()
    fixed = io.StringIO()
    for number, line in enumerate(lines):
        cells = line.split(",")
        if number and number % 4:
            cells[:3] = [f"{9000 + number}", "2026-01-03", "7"]
        fixed.write(",".join(cells) + "\n")
    path.write_text(fixed.getvalue())
    repaired = ingestion_runs.create_run(
        path=path, file_name="repaired.csv", trigger="test", source_name=source
    )
    return lambda: work_on_load(repaired.pk)


def undoing(path: Path, source: str, api: str) -> Callable[[], None]:
    """A run that created, updated and rejected; a person has changed some of it since."""
    landing(path, source, api)()
    store.edit_record(record_id=f"{source}:50", data={"id": "50", "value": "mine"}, user=None)
    made = undo.create_undo(run=IngestionRun.objects.latest("pk"), trigger="test")
    return lambda: work_on_undo(made.pk)


def processing(path: Path, source: str, api: str) -> Callable[[], None]:
    path.write_text(table(45))
    load(path, source, id=["id"], timestamp=["timestamp"], value=["value"])
    run = processing_runs.create_run(trigger="test", source_name=source)
    return lambda: work_on_processing(run.pk)


def reprocessing(path: Path, source: str, api: str) -> Callable[[], None]:
    """The rules have changed; all records get another result."""
    processing(path, source, api)()
    rules = [{"rule": "number", "column": "value", "default": 0}]
    store.save_rule_set(source=Source.objects.get(name=source), rules=rules)
    run = processing_runs.create_run(trigger="test", source_name=source, selection=Selection.ALL)
    return lambda: work_on_processing(run.pk)


def halving(path: Path, source: str, api: str) -> Callable[[], None]:
    """A record that can't be saved: its batch is halved again and again."""
    return processing(path, source, api)


def trying(path: Path, source: str, api: str) -> Callable[[], None]:
    """A dry run."""
    path.write_text(table(25))
    load(path, source, id=["id"], timestamp=["timestamp"], value=["value"])
    path.write_text(table(60, changed=2))
    run = new_load(path, source)
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.DRAFT)
    dry = dry_runs.start(run, on_conflict="update")
    return lambda: work_on_dry_run(dry.pk)


def fetching(path: Path, source: str, api: str) -> Callable[[], None]:
    """An API of which only what is new is asked for."""
    incremental = {"column": "number", "param": "since"}
    feed = feeds.save_feed(
        source_name=source, kind="http", config={"url": api, "incremental": incremental}
    )
    (run,) = feeds.prepare(feed, trigger="test")
    return lambda: work_on_load(run.pk)


def scheduled(path: Path, source: str, api: str) -> Callable[[], None]:
    """An API whose time has come."""
    feed = feeds.save_feed(
        source_name=source, kind="http", config={"url": api}, schedule="0 6 * * *"
    )
    Feed.objects.filter(pk=feed.pk).update(next_at=timezone.now())

    def act() -> None:
        for _ in range(2):
            try:
                FetchAPI.start_due()
            except OperationalError:
                connection.close()
        work_on_load(IngestionRun.objects.get(source=feed.source).pk)

    return act


def indexing(path: Path, source: str, api: str) -> Callable[[], None]:
    """The index of texts follows what has landed."""
    landing(path, source, api)()

    def act() -> None:
        while TextChange.objects.exists():
            try:
                text_index.follow()
            except OperationalError:
                connection.close()

    return act


def snapshot(source: str, since: int) -> dict[str, Any]:
    """All that must not depend on which answers were lost, without the name of the source."""

    def told(*rows: Any) -> list[str]:
        return [repr(row).replace(f"{source}:", "") for row in rows]

    within = {"record_id__gte": f"{source}:", "record_id__lt": f"{source};"}
    run = IngestionRun.objects.filter(source__name=source).latest("pk")
    report = run.dry_runs.first()
    return {
        "records": told(
            *DataRecord.objects.of_source(source)
            .order_by("id")
            .values_list("id", "data", "timestamp", "line", "version", "status")
        ),
        "versions": told(
            *RecordVersion.objects.filter(**within)
            .order_by("record_id", "version")
            .values_list("record_id", "version", "data", "reason")
        ),
        "results": told(
            *ProcessingResult.objects.filter(**within)
            .order_by("record_id", "id")
            .values_list("record_id", "success", "value", "errors", "current")
        ),
        "runs": told(
            *IngestionRun.objects.filter(source__name=source)
            .order_by("pk")
            # The size of a file of rejected rows depends on the digits in the number of its run.
            .values_list("state", "error", F("size") - F("bytes_read"), *COUNTS)
        ),
        "rejected": told(
            *(
                (*row[:-1], bytes(row[-1]))
                for row in RejectedRow.objects.filter(run__source__name=source)
                .order_by("run", "line", "pk")
                .values_list("line", "code", "message", "record_id", "raw")
            )
        ),
        "undos": told(
            *Undo.objects.filter(run__source__name=source)
            .order_by("pk")
            .values_list("state", "deleted", "restored", "kept", "kept_ids")
        ),
        "processing": told(
            *ProcessingRun.objects.filter(source__name=source, pk__gt=since)
            .order_by("pk")
            .values_list("state", "error", "processed", "failed", "repaired", "unchanged")
        ),
        "position": told(
            *Feed.objects.filter(source__name=source).values_list("position", "next_at")
        ),
        "indexed": told(*_indexed(source)),
        "report": told({**report.report, "profile": None} if report else None),
    }


def _indexed(source: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT record_id, text FROM record_texts WHERE record_id BETWEEN %s AND %s "
            "ORDER BY record_id",
            [f"{source}:", f"{source};"],
        )
        return [(key, text.removeprefix(source.upper())) for key, text in cursor.fetchall()]


@pytest.mark.parametrize(
    "prepare",
    [
        landing, replaying, loading_repaired, undoing, processing, reprocessing, halving, trying,
        fetching, scheduled, indexing,
    ],
)  # fmt: skip
def test_no_lost_answer_makes_a_difference(prepare, is_killed, proxy, api, tmp_path, monkeypatch):
    if prepare is halving:
        save = store.save_results

        def refuse(*, results: store.Results, worker: str) -> Any:
            if any(o.record_id.endswith(":12") and o.success for o in results.outcomes):
                raise ValueError("this record can't be saved")
            return save(results=results, worker=worker)

        monkeypatch.setattr(store, "save_results", refuse)

    def outcome(lose: int | None) -> dict[str, Any]:
        source = f"s{lose or 0}"
        act = prepare(tmp_path / "rows.csv", source, api)
        since = ProcessingRun.objects.filter(source=None).count()
        proxy.statements.clear()
        proxy.lose = lose
        try:
            act()
        finally:
            changes = len(proxy.statements)
            proxy.lose = None
        # As the supervisor does: who was to be told that rows have landed may not have been.
        wake_stalled("processing")
        found = snapshot(source, since)
        assert counted() == recounted()
        return found | {"changes": changes}

    undisturbed = outcome(None)
    changes = undisturbed.pop("changes")
    assert changes >= 3
    for number in range(1, changes + 1):
        disturbed = outcome(number)
        disturbed.pop("changes")
        assert proxy.lost, f"change {number} of {changes} was not made; found: {disturbed}"
        lost = proxy.lost.pop()
        assert disturbed == undisturbed, f"change {number} of {changes}: {lost[:300]!r}"
