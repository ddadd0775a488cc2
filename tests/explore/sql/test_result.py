"""Statements in SQL: exactly the records that there are, with columns and types."""

import duckdb
import pytest

from explore.columns import snapshot
from explore.columns.folding import fold
from explore.sql import answer
from explore.sql.answer import NoResult, TryLater, result
from explore.sql.tables import columns_of_tables
from records.models import Source
from records.visible_sources import limited_to
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def rows(statement: str) -> list[list[object]]:
    return result(statement, person=None).outcome.rows


@pytest.fixture
def shop() -> None:
    run = land(
        "shop", {str(n): sale(n, category="Toys" if n % 2 else "Books") for n in range(1, 6)}
    )
    process_all()
    Source.objects.filter(pk=run.source_id).update(columns=["id", "value", "category"])


def test_a_table_has_what_is_told_of_records_their_cells_and_their_results(shop):
    found = result("SELECT * FROM shop ORDER BY record_line LIMIT 1", person=None).outcome
    assert found.columns == [
        "record_id", "record_timestamp", "record_status", "record_run", "record_line",
        "record_version", "record_created_at", "record_processed_at", "record_error",
        "record_anomaly", "record_repaired", "id", "value", "category", "result_id",
        "result_value", "result_category", "result_processed_timestamp",
    ]  # fmt: skip
    cells = dict(zip(found.columns, found.rows[0], strict=True))
    assert cells["record_id"] == "shop:1"
    assert cells["record_timestamp"] == "2026-03-01 12:00:00+00"
    assert (cells["value"], cells["result_value"]) == ("1.5", 1.5)
    types = dict(zip(found.columns, found.types, strict=True))
    assert (types["value"], types["result_value"]) == ("VARCHAR", "DOUBLE")


def test_figures_are_exact_before_and_after_a_fold(shop):
    statement = "SELECT category, sum(result_value), count(*) FROM shop GROUP BY ALL ORDER BY 1"
    expected = [["Books", 7.0, 2], ["Toys", 10.5, 3]]
    assert rows(statement) == expected
    fold()
    assert rows(statement) == expected
    land("shop", {"2": sale(2, category="Toys"), "9": sale(9, category="Books")})
    assert rows("SELECT category, count(*) FROM shop GROUP BY ALL ORDER BY 1") == [
        ["Books", 2],
        ["Toys", 4],
    ]  # fmt: skip


def test_a_source_that_is_behind_is_as_of_its_last_fold_with_a_remark(shop, monkeypatch):
    fold()
    land("shop", {"9": sale(9)})
    monkeypatch.setattr(snapshot, "MOST_CHANGED", 0)
    found = result("SELECT count(*) FROM shop", person=None)
    assert found.outcome.rows == [[5]]
    assert found.is_behind
    assert "1 changes since then are not counted yet" in found.remarks[0]
    patient = result("SELECT count(*) FROM shop", person=None, is_patient=True)
    assert (patient.outcome.rows, patient.remarks) == ([[6]], [])


def test_sources_are_joined_and_names_that_duckdb_can_not_tell_apart_get_a_number():
    land("shop", {"1": sale(1)})
    land("Shop", {"1": sale(1), "2": sale(2)})
    land("two words", {"1": sale(1)})
    assert rows(
        'SELECT count(*) FROM "two words" JOIN "shop~2" USING (id) JOIN shop USING (id)'
    ) == [[1]]


def test_a_person_sees_the_tables_of_granted_sources_only(shop):
    land("depot", {"1": sale(1)})
    with limited_to({"depot"}):
        assert rows("SELECT count(*) FROM depot") == [[1]]
        assert list(columns_of_tables()) == ["depot"]
        with pytest.raises(NoResult, match="There is no table “shop”, or you may not see it"):
            rows("SELECT * FROM shop")


def test_what_tables_have_is_known_without_reading_them(shop):
    before = dict(columns_of_tables()["shop"])
    assert before["value"] == "VARCHAR"
    fold()
    assert dict(columns_of_tables()["shop"])["result_value"] == "DOUBLE"


def test_closed_records_are_left_out_as_in_the_explorer(shop):
    from records.models import DataRecord

    assert rows("SELECT count(*) FROM shop") == [[DataRecord.objects.count()]]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT nothing FROM shop", "Referenced column"),
        ("SELECT * FORM shop", "Syntax error at or near"),
        ("SELECT id,\n  zz FROM shop", "line 2, column 3"),
        ("SELECT * FROM nowhere", "There is no table “nowhere”, or you may not see it"),
        ("SELECT 'x'::INTEGER", "Could not convert string 'x' to INT32"),
        ("", "Write a SELECT statement."),
        ("-- nothing", "Write a SELECT statement."),
        ("SELECT " + "1," * 3_000 + "1", "The statement has 6,008 characters, and the limit is"),
        ("SELECT $1", "can't have parameters"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_position(shop, statement, said):
    with pytest.raises(NoResult) as refused:
        rows(statement)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_only_so_many_rows_are_returned_and_a_remark_says_so():
    found = result("SELECT range FROM range(20_000)", person=None)
    assert len(found.outcome.rows) == 10_000
    assert found.outcome.rows[-1] == [9_999]
    assert found.remarks == [
        "Only the first 10,000 rows are returned. Group or filter for the others."
    ]


def test_values_are_those_of_json_or_texts_that_are_exact():
    found = rows(
        "SELECT 1, 1.50, 2.5::DOUBLE, true, NULL, [1, 2], DATE '2024-01-02', 'nan'::DOUBLE, "
        "340282366920938463463374607431768211455::UHUGEINT"
    )
    assert found == [
        [1, "1.50", 2.5, True, None, "[1, 2]", "2024-01-02", "nan",
         340282366920938463463374607431768211455],
    ]  # fmt: skip


def test_a_result_comes_as_parquet_with_its_types(shop, tmp_path):
    statement = "SELECT category AS a, result_value AS A, record_timestamp FROM shop ORDER BY 2"
    (tmp_path / "x").write_bytes(result(statement, person=None, kind="parquet").outcome.content)
    with duckdb.connect() as duck:
        found = duck.read_parquet(str(tmp_path / "x"))
        assert found.columns == ["a", "A~2", "record_timestamp"]
        assert list(map(str, found.types)) == ["VARCHAR", "DOUBLE", "TIMESTAMP WITH TIME ZONE"]
        assert [row[1] for row in found.fetchall()] == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_each_person_has_one_statement_run_at_a_time():
    with answer._one_at_a_time(7), pytest.raises(TryLater, match="still running"):
        result("SELECT 1", person=7)
    assert result("SELECT 1", person=7).outcome.rows == [[1]]
