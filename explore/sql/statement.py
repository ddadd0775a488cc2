"""What a statement may be: one SELECT of known tables. Pure: no Django, no tables.

DuckDB takes the statement apart, and gives back what it has understood: that is what is run, so
there is nothing hidden in comments or behind semicolons.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_CHARACTERS = 5_000
# Functions that make rows of their arguments alone.
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# Functions that tell of the process or its settings rather than of the records.
OTHERS = re.compile(
    r"current_setting|getenv|getvariable|set_config|nextval|currval|query|query_table|"
    r"(duckdb|pragma|pg|sqlite|read|parquet|sniff|json_execute)_.*|.*_secret.*|write_log"
)
# Names that DuckDB has tables for are no names for others.
CTE_NAME = re.compile(r"(?!duckdb_|pg_|pragma_|sqlite_|information_schema)\w[\w ]*", re.I)


class StatementError(Exception):
    """What is wrong with a statement, as a sentence."""


def checked(duck: "DuckDBPyConnection", text: str, tables: Collection[str]) -> str:
    """The statement as DuckDB has understood it, if it is one SELECT of these tables.

    Raises StatementError.
    """
    found = _parsed(duck, text)
    if found["error"]:
        raise StatementError(_said(found, text))
    statements = found["statements"]
    if not statements:
        raise StatementError("Write a SELECT statement.")
    if len(statements) > 1:
        raise StatementError("Write one statement only: there is another one after the first.")
    _check(statements, frozenset(name.casefold() for name in tables))
    sql = "SELECT json_deserialize_sql(?::JSON)"
    (understood,) = duck.execute(sql, [json.dumps(found)]).fetchall()[0]
    return str(understood)


def sentence(error: Exception, *, lines_before: int | None = None) -> str:
    """What DuckDB says of a statement.

    With the position that it names, if what was run is the statement with ``lines_before`` it.
    """
    said, _, excerpt = str(error).partition("\n\nLINE ")
    what = said.partition(": ")[2] or said
    text = " ".join(what.split("Possible solutions")[0].split())
    place = "" if lines_before is None else _position_in(excerpt, lines_before)
    return _with_position(text, place)


def position(text: str, offset: int) -> str:
    """A place in a statement, by lines and columns from 1."""
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"


def _parsed(duck: "DuckDBPyConnection", text: str) -> dict[str, Any]:
    (found,) = duck.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0]
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def _said(found: dict[str, Any], text: str) -> str:
    if found.get("error_type") == "not implemented":
        return "Only SELECT statements can be run here."
    message = str(found.get("error_message", ""))
    place = str(found.get("position", ""))
    # DuckDB counts bytes.
    offset = len(text.encode()[: int(place)].decode(errors="ignore")) if place.isdigit() else None
    return _with_position(message, "" if offset is None else position(text, offset))


def _position_in(excerpt: str, lines_before: int) -> str:
    """The position that the excerpt of an error points to: "1: SELECT x\n               ^"."""
    line, _, rest = excerpt.partition(": ")
    text, _, marks = rest.partition("\n")
    if not line.isdigit() or "^" not in marks or text.startswith("..."):
        return ""
    column = marks.index("^") - len(f"LINE {line}: ") + 1
    return f"line {int(line) - lines_before}, column {column}"


def _with_position(text: str, place: str) -> str:
    text = text.strip().rstrip(".!")
    text = text[:1].upper() + text[1:]
    return f"{text} ({place})." if place else f"{text}."


def _check(statements: Any, tables: frozenset[str]) -> None:
    nodes = list(_nodes(statements))
    named = [str(each["key"]) for node in nodes for each in _named_queries(node)]
    for name in named:
        if not CTE_NAME.fullmatch(name):
            raise StatementError(f"“{name}” can't be the name of a query in WITH.")
    known = tables | {name.casefold() for name in named}
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, tables, known)
        elif kind == "TABLE_FUNCTION":
            _check_table_function(node)
        elif kind == "SHOW_REF" and not node.get("query"):
            raise StatementError("Only SELECT statements can be run here.")
        elif OTHERS.fullmatch(str(node.get("function_name", "")).lower()):
            raise StatementError(f"The function {node['function_name']} can't be used here.")
        elif kind == "VALUE_PARAMETER":
            raise StatementError("A statement can't have parameters here. Write the values in it.")


def _check_table(node: dict[str, Any], tables: frozenset[str], known: frozenset[str]) -> None:
    name = str(node.get("table_name", ""))
    schema = [part for part in (node.get("catalog_name"), node.get("schema_name")) if part]
    if name.casefold() in known and not schema:
        return
    listed = f" Tables that it names: {', '.join(sorted(tables))}." if tables else ""
    full = ".".join([*map(str, schema), name])
    raise StatementError(f"There is no table “{full}”, or you may not see it.{listed}")


def _check_table_function(node: dict[str, Any]) -> None:
    name = str((node.get("function") or {}).get("function_name", ""))
    if name.lower() not in TABLE_FUNCTIONS:
        raise StatementError(f"The function {name} can't be used here.")


def _named_queries(node: dict[str, Any]) -> list[dict[str, Any]]:
    found = node.get("cte_map")
    return found.get("map") or [] if isinstance(found, dict) else []


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree, however deep it is."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left += node.values()
        elif isinstance(node, list):
            left += node
