"""Statements to begin with."""

from collections.abc import Iterator, Mapping, Sequence

from explore.columns.schema import quoted


def examples(tables: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    """Statements about the first table with columns of its own, by the columns of all tables."""
    for name, columns in tables.items():
        own = [column for column, _ in columns if not column.startswith(("record_", "result_"))]
        if own:
            return list(_about(quoted(name), quoted(own[-1]), columns))
    return []


def _about(table: str, column: str, columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    rest = f"FROM {table} GROUP BY ALL ORDER BY 2 DESC LIMIT 20"
    yield f"SELECT * FROM {table} LIMIT 20"  # noqa: S608 (quoted, and shown only)
    yield f"SELECT {column}, count(*) AS records {rest}"
    month = "date_trunc('month', record_timestamp) AS month"
    yield f"SELECT {month}, count(*) AS records FROM {table} GROUP BY ALL ORDER BY 1"  # noqa: S608
    for name, of_type in columns:
        if of_type == "DOUBLE" and name.startswith("result_"):
            cell = quoted(name)
            yield f"SELECT count({cell}), sum({cell}), median({cell}) FROM {table}"  # noqa: S608
            return
