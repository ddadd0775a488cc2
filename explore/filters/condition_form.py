"""A condition on a cell, as forms on pages send it in parts."""

from django.http import QueryDict

from explore.filters.conditions import Condition
from explore.filters.query import RecordQuery

PARTS = ("on", "ask", "of", "than")


def with_condition(parameters: QueryDict) -> RecordQuery:
    """The query with the condition that a form has sent in parts, if it names a column."""
    query = RecordQuery.parse(parameters).without(*PARTS)
    if column := parameters.get("on", ""):
        condition = Condition(column, parameters.get("ask", ""), parameters.get("than", ""))
        name = "result" if parameters.get("of") == "result" else "where"
        return query.with_(name, str(condition))
    return query
