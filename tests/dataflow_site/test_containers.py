"""What the compose file starts, started without containers: its own commands and environment."""

import json
import os
import re
import shlex
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings

from tests.installation import ROOT, Installation, installation, wait_for
from tests.postgres import free_port

ENV_FILE = {
    "SECRET_KEY": "s" * 64,
    "DATAFLOW_RECEIPT_KEY": "d" * 64,
    "POSTGRES_PASSWORD": "p" * 32,
    "ADMIN_PASSWORD": "a" * 24,
}
REQUIRED = {"SECRET_KEY", "DATAFLOW_RECEIPT_KEY", "POSTGRES_PASSWORD"}


def interpolate(node: Any, values: dict[str, str]) -> Any:
    """${NAME}, ${NAME:-default} and ${NAME:?message}, as compose reads them."""
    if isinstance(node, dict):
        return {key: interpolate(each, values) for key, each in node.items()}
    if isinstance(node, list):
        return [interpolate(each, values) for each in node]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if found := values.get(name):
            return found
        if operator == ":?":
            raise LookupError(f"{name} {rest}")
        return rest or ""

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, node)


def compose(values: dict[str, str]) -> dict[str, Any]:
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = interpolate(file["services"], values)
    return services


class Containers:
    """The services of the compose file as processes of this machine."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.services = compose(ENV_FILE)
        self.port = str(free_port())
        # What the image gives: its Python first, and where it writes.
        self.image = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOST": "127.0.0.1",
            "PORT": self.port,
        }

    def environment(self, service: str) -> dict[str, str]:
        """What the file says, but for the database, which has another address here."""
        given = {**self.services[service]["environment"]}
        assert self.made.database_url
        given["DATABASE_URL"] = self.made.database_url
        return self.image | given

    def start(self, service: str) -> Any:
        return self.made.start(*self.services[service]["command"], **self.environment(service))

    def healthy(self, service: str) -> bool:
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [part.replace("8000", self.port) for part in command]
        return bool(self.made.start(*command, **self.environment(service)).wait(120) == 0)

    def get(self, path: str) -> tuple[int, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as response:
            return response.status, json.load(response)


@pytest.fixture(scope="module")
def containers(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    with installation(tmp_path_factory.mktemp("containers"), postgres_url) as made:
        running = Containers(made)
        dockerfile = (ROOT / "Dockerfile").read_text()
        for command in re.findall(r"SECRET_KEY=\S+ python (manage\.py [\w -]+)", dockerfile):
            made.manage(*shlex.split(command)[1:], SECRET_KEY="for-the-build-only")
        assert running.start("migrate").wait(300) == 0, made.log
        for service in ("api", "ingestion", "processing"):
            running.start(service)
        yield running


@pytest.mark.cluster
def test_the_commands_of_the_file_bring_up_a_healthy_service(containers: Containers) -> None:
    for service in ("ingestion", "processing", "api"):
        wait_for(lambda: containers.healthy(service), seconds=300, what=f"{service} to be healthy")  # noqa: B023
    status, answer = containers.get("/health")
    assert (status, answer["status"]) == (200, "healthy")


@pytest.mark.cluster
def test_a_file_is_ingested_processed_and_indexed_by_the_two_workers(
    containers: Containers,
) -> None:
    file = containers.made.folder / "orders.csv"
    file.write_text("id,value,category\n" + "".join(f"{n},{n}.5,a\n" for n in range(1000)))
    queue = (
        "from pathlib import Path; from ingestion.loading import runs;"
        "from records.jobs.runner import queue;"
        f"path = Path({str(file)!r});"
        "run = runs.create_run(path=path, file_name='orders.csv', trigger='upload');"
        "queue(run)"
    )
    containers.made.manage("shell", "-v0", "-c", queue, **containers.environment("api"))
    processed = "SELECT count(*) FROM data_records WHERE status = 'processed'"
    wait_for(
        lambda: containers.made.rows(processed) == [(1000,)],
        seconds=300,
        what=f"1,000 processed records; log: {containers.made.log}",
    )
    kept = "to_regclass('record_texts_trigrams') IS NOT NULL"
    wait_for(
        lambda: (
            containers.made.rows(f"SELECT count(*) = 1000 OR NOT {kept} FROM record_texts")
            == [(True,)]
        ),
        seconds=300,
        what=f"their texts in the index; log: {containers.made.log}",
    )


@pytest.mark.cluster
def test_the_migration_service_makes_the_first_admin(containers: Containers) -> None:
    users = containers.made.rows("SELECT username, is_superuser FROM auth_user")
    assert users == [("admin", True)]
    assert containers.start("migrate").wait(300) == 0


def test_the_services_are_the_ones_that_are_promised() -> None:
    services = compose(ENV_FILE)
    assert set(services) == {"database", "migrate", "api", "ingestion", "processing"}
    for name in ("api", "ingestion", "processing"):
        after = services[name]["depends_on"]["migrate"]["condition"]
        assert after == "service_completed_successfully"
        assert services[name]["healthcheck"]["test"]
    database = services["database"]["environment"]
    assert (database["POSTGRES_USER"], database["POSTGRES_DB"]) == ("dataflow", "dataflow")


def test_docker_compose_1_takes_the_file_too() -> None:
    # It refuses a file that has anything else at its top, such as a name.
    file = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert {key for key in file if not key.startswith("x-")} == {"services", "volumes"}


def test_the_application_logs_in_to_that_very_database() -> None:
    services = compose(ENV_FILE)
    url = urlsplit(services["api"]["environment"]["DATABASE_URL"])
    assert (url.username, url.hostname, url.port) == ("dataflow", "database", 5432)
    assert url.path == "/dataflow"
    assert url.password == services["database"]["environment"]["POSTGRES_PASSWORD"]


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_without_a_secret_nothing_starts_and_it_says_which(name: str) -> None:
    values = {key: value for key, value in ENV_FILE.items() if key != name}
    with pytest.raises(LookupError, match=rf"{name} is not set\. Run make up"):
        compose(values)


def test_no_secret_is_written_into_image_or_file() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|TOKEN)", dockerfile, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    # Everything is kept out but what is named.
    assert "*" in ignored
    assert not {"!.env", "!var", "!data", "!.git"} & set(ignored)


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users
    assert users[-1] not in {"root", "0"}


@pytest.mark.parametrize("name", ["database", "migrate", "api", "ingestion", "processing"])
def test_containers_have_limits_and_write_to_volumes_only(name: str) -> None:
    service = compose(ENV_FILE)[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]  # noqa: S108
    assert service["mem_limit"] == "4g"
    assert 0 < service["pids_limit"] <= 256
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_the_containers_of_the_application_have_no_capabilities_and_room_for_uploads() -> None:
    for name in ("migrate", "api", "ingestion", "processing"):
        service = compose(ENV_FILE)[name]
        assert service["cap_drop"] == ["ALL"]
        assert {"inputs:/app/var/inputs", "exports:/app/var/exports", "/app/var/tmp"} <= set(
            service["volumes"]
        )
    # A volume belongs to whoever owns the folder in the image.
    made = re.search(r"mkdir -p (.+?) \\", (ROOT / "Dockerfile").read_text())
    assert made
    assert {"var/inputs", "var/exports", "var/tmp"} <= set(made[1].split())


def test_the_image_has_all_apps() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    assert {f"!{name}" for name in apps if (ROOT / name).is_dir()} <= set(let_in)
