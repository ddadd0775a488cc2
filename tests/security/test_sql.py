"""Statements in SQL that are made to read what they must not, or to take what others need."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings
from django.db import connection

from explore.columns.folding import fold
from explore.sql import answer
from explore.sql.answer import NoResult, result
from records.models import ColumnSegment
from records.visible_sources import limited_to
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Iterator[None]:
    """Two sources, of which one may be seen."""
    land("shop", {"1": sale(1), "2": sale(2)})
    land("secret", {"1": sale(1, category="hidden text")})
    process_all()
    fold()
    with limited_to({"shop"}):
        yield


def refusal(statement: str) -> str:
    with pytest.raises(NoResult) as refused:
        result(statement, person=None)
    said = str(refused.value)
    assert "\n" not in said
    for path in (tempfile.gettempdir(), str(settings.COLUMN_DIR)):
        assert path not in said
    return said


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_csv_auto('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_ndjson_objects('/etc/passwd')",
        "SELECT * FROM parquet_scan('*')",
        "SELECT * FROM read_parquet('0.parquet')",
        "SELECT * FROM parquet_metadata('0.parquet')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM shop, glob('/*')",
        "SELECT (SELECT count(*) FROM glob('/*'))",
        "WITH x AS (SELECT * FROM glob('*')) SELECT * FROM x",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('shop')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('allowed_paths')",
        "SELECT CURRENT_SETTING('temp_directory')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM which_secret('x', 's3')",
        "SELECT * FROM pragma_database_list()",
        "SELECT * FROM pragma_table_info('shop')",
        "SELECT json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT * FROM json_execute_serialized_sql('{}')",
        "SELECT * FROM sql_auto_complete('SEL')",
        "SELECT * FROM summary((SELECT 1))",
    ],
)
def test_functions_that_read_files_or_settings_can_not_be_used(shop, statement):
    assert "can't be used here" in refusal(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "0.parquet"',
        "SELECT * FROM 'https://example.com/a.parquet'",
        "SELECT * FROM 's3://bucket/a.parquet'",
        "SELECT * FROM duckdb_settings",
        "SELECT * FROM duckdb_views",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM main.shop",
        "SELECT * FROM system.main.duckdb_views",
        "SELECT * FROM secret",
        "SELECT * FROM shop WHERE id IN (SELECT id FROM secret)",
        "SELECT * FROM fresh_0",
        "SELECT * FROM changed_0",
        "SELECT * FROM given",
        "SELECT * FROM duck",
    ],
)
def test_there_are_no_tables_but_those_of_sources_that_may_be_seen(shop, statement):
    assert "There is no table" in refusal(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '/etc/passwd' AS x",
        "ATTACH ':memory:' AS x",
        "DETACH memory",
        "USE memory",
        "COPY shop TO 'x.csv'",
        "COPY (SELECT 1) TO 'result.parquet'",
        "EXPORT DATABASE 'x'",
        "IMPORT DATABASE 'x'",
        "PRAGMA database_list",
        "PRAGMA version",
        "SET memory_limit = '10GB'",
        "RESET memory_limit",
        "SET enable_external_access = true",
        "CREATE TABLE x AS SELECT 1",
        "CREATE SECRET (TYPE s3)",
        "CREATE MACRO f() AS TABLE SELECT 1",
        "DROP VIEW shop",
        "DELETE FROM shop",
        "UPDATE shop SET id = 1",
        "INSERT INTO shop SELECT 1",
        "CALL pragma_version()",
        "EXPLAIN SELECT * FROM shop",
        "EXPLAIN ANALYZE SELECT * FROM shop",
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "CHECKPOINT",
        "VACUUM",
        "BEGIN",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SHOW DATABASES",
        "SELECT 1; INSTALL httpfs",
        "/* SELECT 1 */ INSTALL httpfs",
    ],
)
def test_nothing_but_a_select_can_be_run(shop, statement):
    assert "Only SELECT statements" in refusal(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1;;; SELECT 2;",
        "SELECT 1; -- x\nSELECT 2",
        ";SELECT 1; SELECT 2",
    ],
)
def test_one_statement_only(shop, statement):
    assert "one statement only" in refusal(statement)


def test_comments_and_quotes_hide_nothing(shop):
    found = result("SELECT '; DROP' AS a, 1 /* ; SELECT 2 */ AS b; -- ; SELECT 3", person=None)
    assert found.outcome.rows == [["; DROP", 1]]
    assert "There is no table" in refusal("SELECT * FROM /* shop */ secret -- shop")


def test_names_of_queries_hide_no_tables_of_duckdb(shop):
    for name in ("duckdb_views", "0.parquet", "sqlite_master", "pg_class"):
        said = refusal(f'WITH x AS (WITH "{name}" AS (SELECT 1) SELECT 1) SELECT * FROM "{name}"')
        assert "can't be the name of a query in WITH" in said


def test_segments_of_other_sources_can_not_be_read_by_their_path(shop):
    with limited_to(None):
        digest = ColumnSegment.objects.get(source="secret").digest
    for path in (f"{digest}.parquet", f"/var/columns/{digest}.parquet"):
        said = refusal(f"SELECT * FROM '{path}'")
        assert "There is no table" in said
        refusal(f"SELECT * FROM read_parquet('{path}')")


def test_duckdb_itself_opens_nothing_else(shop, monkeypatch, tmp_path):
    """Even if a statement were not taken apart before."""
    import duckdb

    from explore.sql.running import _opened
    from explore.sql.tables import handed_over

    monkeypatch.chdir(tmp_path)
    with handed_over({"shop": "shop"}) as (given, _):
        monkeypatch.chdir(given.folder)
        with _opened(given, 256) as duck:
            assert duck.execute("SELECT count(*) FROM shop").fetchall() == [(2,)]
            for statement in (
                "SELECT * FROM read_text('/etc/passwd')",
                "SELECT * FROM glob('/etc/*')",
                "COPY shop TO 'x.csv'",
                "EXPORT DATABASE 'x'",
                "ATTACH 'x.db'",
                "INSTALL httpfs",
                "LOAD httpfs",
                "SET enable_external_access = true",
                "SET memory_limit = '10GB'",
                "SELECT * FROM read_parquet('https://example.com/x')",
            ):
                with pytest.raises(duckdb.Error):
                    duck.execute(statement).fetchall()
        assert not Path("x.csv").exists()


def test_statements_that_take_too_much_are_stopped(shop, monkeypatch):
    monkeypatch.setattr(answer, "SECONDS", 4.0)
    for statement in (
        "SELECT repeat('x', 10000000000)",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
        "SELECT list(range) FROM range(100000000000)",
        "SELECT * FROM range(100000000000) ORDER BY hash(range)",
        "SELECT count(DISTINCT hash(range)) FROM range(10000000000)",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
        "SELECT range(1000000000)",
    ):
        began = time.monotonic()
        said = refusal(statement)
        assert any(word in said for word in ("stopped after", "memory", "maximum", "simpler")), said
        assert time.monotonic() - began < 30


def test_a_large_result_is_cut_or_refused(shop):
    found = result("SELECT * FROM range(100000000) a, range(99)", person=None)
    assert len(found.outcome.rows) == 10_000
    assert "more than 16 MiB" in refusal("SELECT repeat('x', 100000) FROM range(1000)")
    numbers = "SELECT [hash(range * 1000 + x) FOR x IN range(300)] FROM range(9000)"
    with pytest.raises(NoResult, match="more than 16 MiB"):
        result(numbers, person=None, kind="parquet")


def test_deep_statements_end_no_process(shop):
    for statement in (
        "SELECT " + "(" * 2_400 + "1" + ")" * 2_400,
        "SELECT " + "NOT " * 1_200 + "true",
        "SELECT * FROM " + "(SELECT * FROM " * 300 + "shop" + ")" * 300,
    ):
        try:
            result(statement, person=None)
        except NoResult as error:
            assert "\n" not in str(error)  # noqa: PT017
    assert result("SELECT 1", person=None).outcome.rows == [[1]]


@pytest.mark.django_db(transaction=True)
def test_others_are_answered_meanwhile(client, admin_client, monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("The threads of a test share one connection to SQLite.")
    monkeypatch.setattr(answer, "SECONDS", 3.0)
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    said = []

    def run() -> None:
        try:
            result(endless, person=None)
        except NoResult as error:
            said.append(str(error))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    assert admin_client.get("/sources/").status_code == 200
    assert time.monotonic() - began < 2
    for thread in threads:
        thread.join()
    assert len(said) == 2
    assert all("stopped after 3 seconds" in each for each in said), json.dumps(said)
