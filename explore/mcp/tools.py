"""The tools that assistants are offered: each asks the API, and cites what it has asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from explore.mcp import arguments as argument
from explore.mcp import changes
from explore.mcp.arguments import filter_query, page_query, record_query
from explore.mcp.caller import Caller, Failed
from ingestion.parsing.profile import Profile
from records.models import DataRecord
from web.statement_timeout import ASIDE_SECONDS, TookTooLong, at_most

Given = Mapping[str, Any]

# In how many records of a source the types and examples of its columns are looked for.
SAMPLE = 200
EXAMPLES = 3
ROLES = ("id", "timestamp", "value", "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: what assistants read of it, the schema of its arguments, and its function."""

    name: str
    title: str
    description: str
    run: Callable[[Caller, Given], dict[str, Any]]
    properties: Given
    required: tuple[str, ...] = ()
    is_read_only: bool = True

    @property
    def schema(self) -> dict[str, Any]:
        return argument.object_schema(self.properties, self.required)


def list_sources(caller: Caller, given: Given) -> dict[str, Any]:
    page = _page(caller.get("api-sources", query=page_query(given)))
    for source in page["sources"]:
        source["page"] = caller.url(source["page"])
    return page


def describe_source(caller: Caller, given: Given) -> dict[str, Any]:
    """A source, its columns as a sample of its records shows them, and its rules."""
    source = caller.get("api-source", given["source"])
    asked = {"source": source["name"], "limit": SAMPLE}
    rows = [record["data"] for record in caller.get("api-records", query=asked)["records"]]
    names = source["columns"] or list(dict.fromkeys(name for row in rows for name in row))
    profile = Profile(names)
    profile.add(rows)
    columns = [
        {
            "name": column.name,
            "type": column.looks_like,
            "examples": [cell for cell, _ in column.top[:EXAMPLES]],
            "roles": [role for role in ROLES if column.name in source["settings"][role]],
        }
        for column in profile.columns()
    ]
    source["page"] = caller.url(source["page"])
    return {
        **source,
        "columns": columns,
        "columns_sampled_from": f"the first {len(rows)} records by ID",
        "rules": _rules(caller, source["name"]),
    }


def _rules(caller: Caller, source: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = caller.get("api-rules", source)
    except Failed as error:
        if error.problem["code"] != "not_found":
            raise
        return None
    return found


def query_records(caller: Caller, given: Given) -> dict[str, Any]:
    """A page of records with the run and line of each, the filter, and how many match it."""
    asked = filter_query(given)
    page = _page(caller.get("api-records", query=asked | page_query(given)))
    ids = [record["id"] for record in page["records"]]
    found = DataRecord.objects.with_ids(ids).values_list("pk", "run_id", "line")
    origins = {pk: {"run": run, "line": line} for pk, run, line in found}
    for record in page["records"]:
        record |= origins.get(record["id"], {"run": None, "line": None})
    query = record_query(asked)
    try:
        with at_most(ASIDE_SECONDS):
            matching: int | None = query.queryset().order_by().count()
    except TookTooLong:
        matching = None
    return {
        "filter": asked,
        "filter_in_words": [f"{chip.label}: {chip.text}" for chip in query.chips()],
        "matching_records": matching,
        **page,
        "page": caller.url(query.url()),
    }


def count_by_facet(caller: Caller, given: Given) -> dict[str, Any]:
    asked = filter_query(given)
    column = {"facet": given["column"]} if given.get("column") else {}
    facets = caller.get("api-facets", query=asked | column)
    return {"filter": asked, **facets, "page": caller.url(record_query(asked).url())}


def get_statistics(caller: Caller, given: Given) -> dict[str, Any]:
    asked = {"source": given["source"]} if given.get("source") else {}
    return {"filter": asked, **caller.get("api-stats", query=asked)}


def get_record(caller: Caller, given: Given) -> dict[str, Any]:
    record: dict[str, Any] = caller.get("api-record", given["id"])
    page = DataRecord(pk=record["id"]).get_absolute_url()
    return {**record, "page": caller.url(page)}


def record_history(caller: Caller, given: Given) -> dict[str, Any]:
    record = get_record(caller, given)
    history = caller.get("api-history", given["id"])
    return {**history, **{name: record[name] for name in ("run", "line", "page")}}


def list_runs(caller: Caller, given: Given) -> dict[str, Any]:
    return _page(caller.get("api-runs", query=page_query(given, "source", "kind", "state")))


def get_run(caller: Caller, given: Given) -> dict[str, Any]:
    return _with_page(caller, caller.get("api-run", given["kind"], given["number"]))


def list_rejected_rows(caller: Caller, given: Given) -> dict[str, Any]:
    asked = page_query(given, "source", "run", "code", "state")
    page = _page(caller.get("api-rejected-rows", query=asked))
    page["rejected_rows"] = [_with_page(caller, row) for row in page["rejected_rows"]]
    return {"filter": {name: asked[name] for name in asked if name != "limit"}, **page}


def test_rules(caller: Caller, given: Given) -> dict[str, Any]:
    body = {"rules": given["rules"]}
    return _with_page(caller, caller.post("api-rule-test", given["source"], body=body))


def _page(answer: dict[str, Any]) -> dict[str, Any]:
    """A list of the API, with the cursor of the next page in place of its URL."""
    following = answer.pop("next")
    cursors = parse_qs(urlsplit(following).query)["cursor"] if following else [None]
    return {**answer, "cursor": cursors[0]}


def _with_page(caller: Caller, answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "page": caller.url(answer["page"])} if answer.get("page") else answer


FILTER = argument.filter_schema()
PAGE = {"limit": argument.LIMIT, "cursor": argument.CURSOR}

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="list_sources",
            title="List sources",
            description="All sources (named sets of records) by name, with their number of "
            "records, column mapping and settings.",
            run=list_sources,
            properties=PAGE,
        ),
        Tool(
            name="describe_source",
            title="Describe a source",
            description="A source with its columns (type, examples and role of each), settings, "
            "number of records and current rules. Look here before filtering by a column.",
            run=describe_source,
            properties={"source": argument.SOURCE},
            required=("source",),
        ),
        Tool(
            name="query_records",
            title="Query records",
            description="Records that match a filter. The answer has the filter, the number of "
            "matching records (null if counting took too long), the run and line that each record "
            "came from, and the explorer's page with the same records. Cite these.",
            run=query_records,
            properties={"filter": FILTER, **PAGE},
        ),
        Tool(
            name="count_by_facet",
            title="Count records by facet",
            description="The most frequent values, with the number of records of each, by source, "
            "status, category and so on, among the records that match a filter; with `column`, "
            "also by that data column.",
            run=count_by_facet,
            properties={
                "filter": FILTER,
                "column": argument.TEXT | {"description": "A data column to count as well."},
            },
        ),
        Tool(
            name="get_statistics",
            title="Get statistics",
            description="Number of records by status and by source, and the success rate of "
            "processing.",
            run=get_statistics,
            properties={"source": argument.SOURCE},
        ),
        Tool(
            name="get_record",
            title="Get a record",
            description="A record with its cells, its current result, and the run and line that "
            "it came from.",
            run=get_record,
            properties={"id": argument.RECORD},
            required=("id",),
        ),
        Tool(
            name="record_history",
            title="Get the history of a record",
            description="Where a record came from, what each rule did to it, and its updates and "
            "edits, the oldest first.",
            run=record_history,
            properties={"id": argument.RECORD},
            required=("id",),
        ),
        Tool(
            name="list_runs",
            title="List runs",
            description="Runs of every kind, the newest first: imports, processing, undos, dry "
            "runs, and your own exports.",
            run=list_runs,
            properties={
                "source": argument.SOURCE,
                "kind": argument.KIND,
                "state": argument.STATE,
                **PAGE,
            },
        ),
        Tool(
            name="get_run",
            title="Get a run",
            description="A run: its state, its counts, its report and, if it failed, the error.",
            run=get_run,
            properties={
                "kind": argument.KIND,
                "number": argument.RUN | {"description": "Number of the run."},
            },
            required=("kind", "number"),
        ),
        Tool(
            name="list_rejected_rows",
            title="List rejected rows",
            description="Rows that could not become records: text, line, reason and remedy.",
            run=list_rejected_rows,
            properties={
                "source": argument.SOURCE,
                "run": argument.RUN,
                "code": argument.REJECT_CODE,
                "state": {
                    "type": "string",
                    "enum": ["open", "resolved", "all"],
                    "description": "Default: open.",
                },
                **PAGE,
            },
        ),
        Tool(
            name="test_rules",
            title="Test rules on all records",
            description="Starts a dry run of rules on all records of a source and returns it at "
            "once; ask `get_run` (kind `rule_dry_run`) for its report. No record changes: a "
            "person may save the rules on its page. It needs a token that may write, and the "
            "permission to change rules.",
            run=test_rules,
            properties={"source": argument.SOURCE, "rules": argument.RULES},
            required=("source", "rules"),
            is_read_only=False,
        ),
        Tool(
            name="preview_delete_records",
            title="Preview the deletion of records",
            description="How many records of a filter would be deleted, and the page on which a "
            "person may confirm that. Deletes nothing.",
            run=changes.bulk_action("delete"),
            properties={"filter": FILTER},
            required=("filter",),
        ),
        Tool(
            name="preview_reprocess_records",
            title="Preview the reprocessing of records",
            description="How many records of a filter would be processed again, and the page on "
            "which a person may confirm that. Processes nothing.",
            run=changes.bulk_action("reprocess"),
            properties={"filter": FILTER},
            required=("filter",),
        ),
        Tool(
            name="preview_undo",
            title="Preview the undo of an import",
            description="What the undo of an ingestion run would do, and the page on which a "
            "person may confirm it. Undoes nothing.",
            run=changes.undo,
            properties={"run": argument.RUN},
            required=("run",),
        ),
        Tool(
            name="preview_replay",
            title="Preview a replay of rejected rows",
            description="How many rejected rows of an ingestion run could be replayed, and the "
            "page on which a person may do that. Replays nothing.",
            run=changes.replay,
            properties={"run": argument.RUN},
            required=("run",),
        ),
    )
}
