"""GET /metrics: what Prometheus reads, and who may."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from operations.metrics import readings
from operations.metrics.catalogue import METRICS
from operations.metrics.exposition import written
from operations.metrics.readings import Sample
from operations.models import Backup
from records.jobs.liveness import beat
from records.models import IngestionRun, Source
from records.rows import Reject
from tests.installation import ROOT
from tests.landed import land, process_all, sale
from web.process_cache import process_cache

pytestmark = pytest.mark.django_db

TOKEN = "a token that nobody guesses"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\})? (\S+)')
DEPLOY = ROOT / "deploy"


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def answer(**headers: str) -> Any:
    sent = {"Authorization": f"Bearer {TOKEN}"} | headers
    return Client(raise_request_exception=False).get("/metrics", headers=sent)


def figures() -> dict[str, float]:
    """The samples by name and labels, as they were sent."""
    found = answer()
    assert found.status_code == 200
    lines = [line for line in found.content.decode().splitlines() if not line.startswith("#")]
    matches = [SAMPLE.fullmatch(line) for line in lines]
    assert all(matches), lines
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def reject(line: int) -> Reject:
    return Reject(line, b"x", "missing_key", "No key.")


@pytest.fixture
def _shop() -> None:
    land("shop", {"1": sale(1), "2": sale(2, value="n/a")}, rejects=(reject(4), reject(5)))
    land("shop", {"1": sale(1), "2": sale(2, value="7")})
    process_all()


@pytest.mark.usefixtures("_shop")
def test_the_figures_are_those_of_the_tables() -> None:
    found = figures()
    assert found['dataflow_rows_total{source="shop",outcome="created"}'] == 2
    assert found['dataflow_rows_total{source="shop",outcome="updated"}'] == 1
    assert found['dataflow_rows_total{source="shop",outcome="unchanged"}'] == 1
    assert found['dataflow_rows_total{source="shop",outcome="rejected"}'] == 2
    assert found['dataflow_rejected_rows_open{source="shop"}'] == 2
    assert found['dataflow_results_total{source="",outcome="processed"}'] == 2
    assert found['dataflow_records{source="shop",status="processed"}'] == 2
    assert found["dataflow_database_up"] == 1
    assert found['dataflow_source_late{source="shop"}'] == 0
    assert not any(name.startswith("dataflow_backup") for name in found)


def test_rows_of_undone_runs_and_fixed_ones_are_not_open() -> None:
    run = land("shop", {"1": sale(1)}, rejects=(reject(4), reject(5)))
    run.rejected_rows.filter(line=4).update(resolved_by=run)
    assert figures()['dataflow_rejected_rows_open{source="shop"}'] == 1
    IngestionRun.objects.update(state="undone")
    assert figures()['dataflow_rejected_rows_open{source="shop"}'] == 0


def test_queues_tell_what_waits_what_runs_and_what_was_interrupted() -> None:
    source = Source.objects.create(name="shop")
    moment = timezone.now()
    runs = [
        IngestionRun(source=source, state="queued"),
        IngestionRun(source=source, state="queued"),
        IngestionRun(source=source, state="running", lease_until=moment + timedelta(minutes=1)),
        IngestionRun(source=source, state="running", lease_until=moment - timedelta(minutes=1)),
    ]
    for run in runs:
        run.trigger = "test"
        run.save()
    IngestionRun.objects.filter(pk=runs[0].pk).update(created_at=moment - timedelta(minutes=5))
    beat("processing")
    found = figures()
    assert found['dataflow_runs_queued{queue="ingestion"}'] == 2
    assert found['dataflow_runs_running{queue="ingestion"}'] == 1
    assert found['dataflow_runs_interrupted{queue="ingestion"}'] == 1
    assert 299 < found['dataflow_oldest_queued_run_seconds{queue="ingestion"}'] < 400
    assert found['dataflow_runs_queued{queue="processing"}'] == 0
    assert found['dataflow_worker_up{queue="processing"}'] == 1


def test_backups_tell_when_the_last_one_was_made_and_whether_the_last_attempt_failed() -> None:
    moment = timezone.now()
    made = Backup(id=uuid4(), file="a", bytes=7, started_at=moment, finished_at=moment)
    made.save(force_insert=True)
    found = figures()
    assert found["dataflow_backup_failed"] == 0
    assert found["dataflow_backup_last_bytes"] == 7
    assert "dataflow_backup_last_verified_timestamp_seconds" not in found
    later = moment + timedelta(minutes=1)
    Backup.objects.update(verified_at=later)
    Backup.objects.create(
        id=uuid4(), file="b", started_at=later, finished_at=later, error="The disk is full."
    )
    found = figures()
    assert found["dataflow_backup_failed"] == 1
    last = found["dataflow_backup_last_success_timestamp_seconds"]
    assert last == pytest.approx(moment.timestamp())
    name = "dataflow_backup_last_verified_timestamp_seconds"
    assert found[name] == pytest.approx(later.timestamp())


def test_reading_takes_the_same_queries_however_much_there_is() -> None:
    def queries() -> int:
        process_cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as found:
            readings.read_metrics()
        read = " ".join(each["sql"] for each in found)
        assert "data_records" not in read
        assert "processing_results" not in read
        return len(found)

    land("shop", {"1": sale(1)})
    process_all()
    few = queries()
    for number in range(5):
        land(f"shop {number}", {"1": sale(1), "2": sale(2)}, rejects=(reject(4),))
        process_all()
    assert queries() == few <= 36


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer ä"])
def test_without_the_token_there_are_no_metrics(sent: str) -> None:
    refused = answer(Authorization=sent)
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == "Bearer"
    assert "dataflow_" not in refused.content.decode()


def test_metrics_are_off_unless_they_are_wanted(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert answer().status_code == 404


def test_a_network_may_be_asked_for_as_well(settings: Any) -> None:
    from ipaddress import ip_network

    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8")]
    assert answer().status_code == 403
    settings.METRICS_NETWORKS = [ip_network("127.0.0.0/8")]
    assert answer().status_code == 200
    assert answer(Authorization="").status_code == 401
    settings.METRICS_TOKEN = ""
    assert answer(Authorization="").status_code == 200


def test_a_database_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(readings, "_rows", away)
    found = figures()
    assert found["dataflow_database_up"] == 0
    assert not any(name.startswith("dataflow_rows") for name in found)


def test_the_text_is_that_of_the_format() -> None:
    text = written(
        [
            Sample("dataflow_source_late", True, ('a "b"\\\n',)),
            Sample("dataflow_info", 1, ("1.0",)),
            Sample("dataflow_source_late", 0, ("c",)),
            Sample("dataflow_run_items_per_second", 0.5, ("rows_read",)),
        ]
    )
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert samples == [
        'dataflow_info{version="1.0"} 1',
        'dataflow_run_items_per_second{work="rows_read"} 0.5',
        'dataflow_source_late{source="a \\"b\\"\\\\\\n"} 1',
        'dataflow_source_late{source="c"} 0',
    ]
    assert text.count("# TYPE dataflow_source_late gauge\n") == 1
    assert text.endswith("\n")


@pytest.mark.usefixtures("_shop")
def test_each_metric_has_the_labels_that_the_catalogue_says() -> None:
    for name in figures():
        metric, _, labels = name.partition("{")
        assert tuple(re.findall(r'(\w+)="', labels)) == METRICS[metric].labels


def used(text: str) -> set[str]:
    return set(re.findall(r"\bdataflow_[a-z_]+\b", text))


def expressions(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [value for key, value in node.items() if key == "expr"]
        return own + [each for value in node.values() for each in expressions(value)]
    if isinstance(node, list):
        return [each for value in node for each in expressions(value)]
    return []


def test_alerts_and_dashboards_use_metrics_that_there_are() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    boards = [
        json.loads(path.read_text()) for path in (DEPLOY / "grafana/dashboards").glob("*.json")
    ]
    assert boards
    for found in (alerts, *boards):
        named = used(" ".join(expressions(found)))
        assert named
        assert named <= METRICS.keys()
    # What can be watched is shown.
    shown = used(" ".join(each for board in boards for each in expressions(board)))
    assert METRICS.keys() - shown == set()


def test_each_alert_says_what_to_do_and_has_a_unit_test() -> None:
    rules = [
        rule
        for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    ]
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())["tests"]
    tested = {each["alertname"] for test in tests for each in test["alert_rule_test"]}
    assert tested == {rule["alert"] for rule in rules}
    for rule in rules:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


def test_each_metric_is_in_its_guide() -> None:
    guide = Path(ROOT / "docs" / "reference" / "metrics.md").read_text()
    listed = dict(re.findall(r"^\| `(dataflow_\w+)` \| .+ \| (.+) \|$", guide, re.MULTILINE))
    assert listed == {metric.name: metric.meaning for metric in METRICS.values()}
