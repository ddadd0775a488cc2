"""The compose file on a real engine: it starts, loads files, and survives a kill of any container.

They need a Docker engine and some minutes: `pytest -m containers tests/containers`.
"""

from collections.abc import Iterator

import pytest

from tests.conftest import skip_without
from tests.containers.stack import SERVICES, Stack, build_image, numbered, said, succeeds
from tests.installation import wait_for

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

ROWS = 400_000
REJECTED = ROWS // 100
# Every number once, as a record or a rejected row.
COUNTS = (
    "SELECT COUNT(*), COUNT(DISTINCT id), SUM((data->>'id')::bigint) "
    "FROM data_records WHERE source = '{}'"
)
PROCESSED = (
    "SELECT COUNT(*), COUNT(DISTINCT record_id) FROM processing_results "
    "JOIN data_records ON data_records.id = record_id "
    "WHERE source = '{}' AND status = 'processed'"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    if not succeeds("docker", "info"):
        skip_without("containers", "No Docker engine answers.")
    build_image()
    made = Stack()
    try:
        made.up()
        made.log_in()
        yield made
    finally:
        made.down()


def landed(stack: Stack, source: str) -> None:
    """Every row of the file is a record or a rejected row, once, and processed."""
    records = ROWS - REJECTED
    total = sum(range(ROWS)) - sum(range(0, ROWS, 100))
    assert stack.sql(COUNTS.format(source)) == f"{records}|{records}|{total}"
    wait_for(
        lambda: stack.sql(PROCESSED.format(source)) == f"{records}|{records}",
        seconds=300,
        what=f"the results of {source}",
    )


def test_all_services_are_healthy_and_only_the_web_server_is_open(stack):
    assert stack.is_healthy()
    assert stack.sql("SELECT COUNT(*) FROM data_records") == "0"
    published = {each: stack.do("port", each, "8000") if each == "api" else "" for each in SERVICES}
    assert published["api"].endswith(f":{stack.port}")


def test_the_application_is_no_root_and_writes_to_its_volumes_only(stack):
    assert stack.do("exec", "-T", "api", "id", "-u") == "1000"
    wrote = stack.do("exec", "-T", "api", "sh", "-c", "touch manage.py 2>&1 || true")
    assert "Read-only" in wrote
    assert (
        said("docker", "inspect", "--format", "{{.HostConfig.Memory}}", stack.container("api"))
        != "0"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_that_ends_during_a_load_loses_nothing(stack, service):
    source = f"during-{service}"
    run = stack.send(numbered(ROWS), source=source)
    stack.crash(service)
    ended = stack.end_of(run, seconds=600)
    assert ended["state"] == "finished", ended
    ledger = ended["ledger"]
    assert (ledger["read"], ledger["created"], ledger["rejected"]) == (
        ROWS,
        ROWS - REJECTED,
        REJECTED,
    )
    landed(stack, source)


def test_services_stop_in_time_and_go_on_where_they_were(stack):
    run = stack.send(numbered(ROWS), source="stopped")
    seconds = {each: stack.stop(each) for each in ("ingestion", "processing", "api")}
    assert max(seconds.values()) < 30, seconds
    stack.do("up", "--detach", "--no-build")
    assert stack.end_of(run, seconds=600)["state"] == "finished"
    landed(stack, "stopped")
