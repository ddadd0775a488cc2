"""Previews of changes: what would happen, and the page on which a person confirms it.

Nothing here changes anything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

from explore.explorer import bulk_actions
from explore.explorer.bulk_actions import ACTIONS, MOST
from explore.mcp.arguments import filter_query, record_query
from explore.mcp.caller import Caller, Failed
from records.models import IngestionRun, RejectedRow
from records.permissions import Action, check
from web.api.problems import problem
from web.statement_timeout import LIST_SECONDS, at_most

ASK = "Nothing has been changed. A person has to confirm this on the page."


def bulk_action(name: str) -> Callable[[Caller, Mapping[str, Any]], dict[str, Any]]:
    """The preview of an action on all records of a filter."""
    action = ACTIONS[name]

    def preview(caller: Caller, given: Mapping[str, Any]) -> dict[str, Any]:
        asked = filter_query(given)
        caller.get("api-records", query=asked | {"limit": 1})
        check(caller.user, action.permission)
        query = record_query(asked)
        with at_most(LIST_SECONDS):
            count = bulk_actions.count(name, query.queryset())
        return {
            "filter": asked,
            "records": min(count, MOST),
            "more_match": count > MOST,
            "consequence": action.consequence,
            "status": ASK,
            "confirm_at": caller.url(f"{reverse('act', args=[name])}?{query.query_string()}"),
        }

    return preview


def undo(caller: Caller, given: Mapping[str, Any]) -> dict[str, Any]:
    """The preview of the undo of a run."""
    seen = caller.get("api-run-undo", given["run"])
    if not seen["can_undo"]:
        raise Failed(problem(seen["obstacle"], code="conflict"))
    page = caller.url(reverse("undo-run", args=[given["run"]]))
    return {"run": given["run"], **seen, "status": ASK, "confirm_at": page}


def replay(caller: Caller, given: Mapping[str, Any]) -> dict[str, Any]:
    """The preview of a replay of the rejected rows of a run."""
    run = caller.get("api-run", "ingestion", given["run"])
    check(caller.user, Action.REPLAY)
    rows = RejectedRow.objects.of_run(IngestionRun.objects.get(pk=given["run"])).open()
    return {
        "run": given["run"],
        "source": run["source"],
        "rejected_rows": rows.count(),
        "status": ASK,
        "confirm_at": caller.url(run["page"]),
    }
