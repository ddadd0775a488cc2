"""What an answer rests on: cells that were left out or repaired, and rows that are held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from explore.columns.schema import literal
from explore.columns.snapshot import AsOf
from explore.filters import RecordQuery
from explore.filters.duckdb import Matching
from explore.filters.sql import BLANK
from explore.questions.fields import IS_PROCESSED, Field
from explore.questions.groups import NOT_PROCESSED, PROCESSED
from explore.questions.links import Links, Narrowing
from records.models import RejectedRow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LATER = "Ask again in a few minutes."


@dataclass(frozen=True, slots=True)
class Remark:
    """A number of cells, records or rows that people should know of.

    ``kind`` is "not_number", "empty", "not_processed", "repaired", "rejected" or "behind", which is
    of changes that are not counted yet; ``column`` is "" unless it is about cells. ``url`` lists
    them, or is the page of the newest run that is counted; "" where there is none.
    """

    kind: str
    column: str
    count: int
    text: str
    url: str


def remarks(
    fields: Mapping[str, Field],
    found: Matching,
    links: Links,
    *,
    connection: "DuckDBPyConnection",
) -> list[Remark]:
    """What has to be told of the columns whose numbers are measured."""
    said = []
    for field in fields.values():
        present = IS_PROCESSED if field.is_result else "TRUE"
        blank = f"regexp_matches(coalesce({field.text}, ''), {literal(BLANK)})"
        is_made = str(field.is_result)
        counts = connection.execute(
            f"SELECT count(*) FILTER (WHERE {present} AND {field.number} IS NULL AND NOT {blank}), "  # noqa: S608
            f"count(*) FILTER (WHERE {present} AND {blank}), "
            f"count(*) FILTER (WHERE NOT {present}), "
            f"count(*) FILTER (WHERE {IS_PROCESSED} AND {is_made} "
            f"AND list_contains(repaired_columns, {literal(field.name)})) "
            f"FROM {found.sql} AS found{field.join}",
            found.parameters,
        ).fetchall()
        unread, empty, waiting, repaired = counts[0]
        name = field.name
        said += [
            Remark("not_number", name, unread, _unread_text(unread, name),
                   links.url(_unread(field))),
            Remark("empty", name, empty, _cells(empty, name, "empty"),
                   links.url(_of(field, "empty"))),
            Remark("not_processed", name, waiting,
                   f"{waiting:,} record{_s(waiting)} without a processed “{name}” "
                   f"{_is(waiting)} left out.",
                   links.url(NOT_PROCESSED)),
            Remark("repaired", name, repaired, _cells(repaired, name, "repaired by a rule"), ""),
        ]  # fmt: skip
    return [remark for remark in said if remark.count]


def not_counted(as_of: AsOf) -> list[Remark]:
    """The sources that have changed too much to be counted as they are."""
    said = []
    for each in as_of.behind:
        if each.moment is None:
            text = f"{each.source}: none of its records is counted yet. {LATER}"
            said.append(Remark("behind", "", each.changes, text, ""))
            continue
        after, url = "", ""
        if each.ingestion_run:
            after = f", after ingestion run {each.ingestion_run}"
            url = reverse("ingestion-run", args=[each.ingestion_run])
        text = (
            f"{each.source}: counted as of {each.moment:%Y-%m-%d %H:%M:%S} UTC{after}. "
            f"{each.changes:,} changes since then are not counted yet. {LATER}"
        )
        said.append(Remark("behind", "", each.changes, text, url))
    return said


def open_rejects(query: RecordQuery) -> list[Remark]:
    """The rows of the sources that could not become records, and could still add to the figures."""
    rows = RejectedRow.objects.open()
    if query.sources:
        rows = rows.filter(run__source__name__in=query.sources)
    count = rows.count()
    if not count:
        return []
    one = query.sources[0] if query.is_of_one_source else ""
    asked = {"source": one} if one else {}
    url = f"{reverse('rejected')}?{urlencode(asked)}".removesuffix("?")
    text = (
        f"{count:,} rejected row{_s(count)} {_is(count)} open and could still add to these figures."
    )
    return [Remark("rejected", "", count, text, url if one or not query.sources else "")]


def _of(field: Field, *operators: str) -> Narrowing:
    values = PROCESSED.values if field.is_result else ()
    return Narrowing(tuple(field.asked(operator) for operator in operators), values)


def _unread(field: Field) -> Narrowing | None:
    if not field.join:
        return _of(field, "nonumber", "filled")
    if field.unread is None:
        return None
    return Narrowing(tuple(field.asked("eq", cell) for cell in field.unread))


def _cells(count: int, name: str, what: str) -> str:
    return f"{count:,} cell{_s(count)} of “{name}” {_is(count)} {what}."


def _unread_text(count: int, name: str) -> str:
    what = "is not a number and is" if count == 1 else "are not numbers and are"
    return f"{count:,} cell{_s(count)} of “{name}” {what} left out."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
