"""What workers log of runs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from dataflow_site.logs import JSONLine
from ingestion.loading import runs
from processing.jobs.process import create_run
from records.jobs import run_log
from records.jobs.runner import run_job
from records.models import IngestionRun
from tests.landed import land, sale

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, run_log.__name__)


@pytest.fixture
def shop(tmp_path: Path) -> IngestionRun:
    file = tmp_path / "shop.csv"
    file.write_text("id,value\n" + "".join(f"{n},{n}\n" for n in range(40)))
    return runs.create_run(path=file, file_name=file.name, trigger="upload")


def entries(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.name == run_log.__name__]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in entries(caplog)]


def test_a_run_that_begins_and_ends_is_two_lines(
    shop: IngestionRun, caplog: pytest.LogCaptureFixture
) -> None:
    run_job("load_file", shop.pk)
    lines = [
        f"run {shop.pk}: shop.csv begins.",
        f"run {shop.pk}: shop.csv is finished, 40 done.",
    ]
    assert told(caplog) == lines
    run_job("load_file", shop.pk)
    assert told(caplog) == lines


def test_a_long_run_says_how_far_it_is(
    shop: IngestionRun,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.BATCH_ROWS = 10
    monkeypatch.setattr(run_log, "PROGRESS_SECONDS", 0)
    run_job("load_file", shop.pk)
    under_way = [line for line in told(caplog) if "under way" in line]
    assert under_way[-1] == f"run {shop.pk}: shop.csv is under way, 40 done."


def test_a_run_that_fails_says_why(shop: IngestionRun, caplog: pytest.LogCaptureFixture) -> None:
    IngestionRun.objects.update(mapping={"id": ["missing"]})
    run_job("load_file", shop.pk)
    assert f"run {shop.pk}: shop.csv is failed, 0 done: " in told(caplog)[-1]


def test_entries_of_a_run_have_its_fields_as_json(caplog: pytest.LogCaptureFixture) -> None:
    land("shop", {"1": sale(1)})
    run = create_run(trigger="test")
    run_job("process", run.pk)
    first, last = (json.loads(JSONLine().format(each)) for each in entries(caplog))
    assert first["message"] == f"{run} begins."
    assert (last["run"], last["kind"], last["state"]) == (run.pk, "process", "finished")
    assert (last["done"], last["level"], last["logger"]) == (1, "INFO", run_log.__name__)
    assert last["worker"]
    assert last["time"].endswith("+00:00")


def test_a_json_entry_is_one_line_with_its_traceback() -> None:
    try:
        raise ValueError("a\x1b[31m\nb")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "bad\n%s", ("thing",), info)
    line = JSONLine().format(record)
    assert line.isprintable()
    found = json.loads(line)
    assert found["message"] == "bad\nthing"
    assert "ValueError" in found["exception"]
    record.status_code = 400
    assert "exception" not in json.loads(JSONLine().format(record))
