"""The page of questions: measures by groups of what a filter finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from explore.charts.bundle import bundle
from explore.charts.questions import drawing
from explore.filters import RecordQuery
from explore.filters.duckdb import matching
from explore.filters.parameters import refusal
from explore.filters.record_filter import SHOWING
from explore.questions.answer import SECONDS, Answer, NoAnswer, Row, answered, limited, opened
from explore.questions.first import Kinds, first_question, kinds_of, suggestions
from explore.questions.question import (
    BIN,
    COLUMN,
    FACTS,
    FUNCTIONS,
    MOST_GROUPS,
    MOST_MEASURES,
    ORDERS,
    PARAMETERS,
    RECORD,
    UNITS,
    Group,
    Measure,
    Question,
    QuestionError,
)
from explore.questions.show import figure_text
from records.models import RecordCount, Source
from web.requests import PageRequest

# A measure, as the form on the page sends it in parts.
FUNCTION, CELLS = "function", "cells"
LABELS = ("Measure", "Second measure", "Third measure")
# How many groups the page lists, and how many columns its pivot table has.
MOST_LISTED, MOST_COLUMNS = 200, 40
# What the form has fields for.
FIELDS = ("source", "time_from", "time_to")


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text, and the page that lists its records."""

    text: str
    url: str


@require_safe
def questions(request: PageRequest) -> HttpResponse:
    """The form, and the answer; without a question a good first one for the source."""
    if FUNCTION in request.GET or CELLS in request.GET:
        return redirect(f"{reverse('questions')}?{_put_together(request.GET).urlencode()}")
    asked = _without_questions(request.GET)
    if sentence := refusal(asked, besides=()):
        raise BadRequest(sentence)
    query = RecordQuery.parse(asked)
    names = Source.objects.names()
    is_first = not any(request.GET.getlist(name) for name in PARAMETERS)
    if is_first and not query.chosen and names:
        query = query.with_("source", _largest(names))
    context: dict[str, Any] = {
        "filter": query,
        "sources": names,
        "bundle": bundle(),
        "functions": FUNCTIONS,
        "orders": ORDERS,
        "chips": [chip for chip in query.chips() if chip.label not in ("Source", "From", "To")],
        "hidden": [
            (name, text)
            for name, texts in query.chosen.items()
            if name not in FIELDS
            for text in texts
        ],
    }
    errors = [text for texts in query.errors.values() for text in texts]
    question = Question()
    if not errors:
        try:
            question = Question.parse(dict(request.GET.lists()))
            context |= _answered(question, query, is_first=is_first)
            question = context["question"]
        except QuestionError as error:
            errors = [text for texts in error.errors.values() for text in texts]
        except NoAnswer as error:
            errors = [str(error)]
    kinds = context.get("kinds")
    has_times = bool({"time_from", "time_to"} & query.parameters.keys())
    columns = context.get("columns") or _columns_of(query)
    context |= {"errors": errors, **_form(question, columns, kinds, has_times=has_times)}
    return render(request, "explore/questions.html", context, status=400 if errors else 200)


def _answered(question: Question, query: RecordQuery, *, is_first: bool) -> dict[str, Any]:
    """The answer, and what suits the columns."""
    with opened(query) as (seen, fields):
        source = Source.objects.named(query.sources[0]) if query.is_of_one_source else None
        with limited(seen.connection, SECONDS):
            kinds = kinds_of(seen, matching(query, seen), fields.names(), source)
        if is_first:
            question = first_question(kinds)
        found = answered(question, query, seen, fields)
        columns = fields.names()
    more = [each for each in suggestions(kinds) if each != question]
    return {
        "question": question,
        "answer": found,
        "columns": columns,
        "kinds": kinds,
        "spec": drawing(found),
        "suggestions": [(each.title, _url(each, query)) for each in more],
        "numbers": [
            (measure.title, Cell(figure_text(measure, figure), found.total.url))
            for measure, figure in zip(question.measures, found.total.figures, strict=True)
        ],
        "table": _table(found),
        "counts": Measure("count") in question.measures,
        "pivot": _pivot(found),
        "query": urlencode({**_filter(query), **question.parameters()}, doseq=True),
    }


def _form(
    question: Question, columns: Sequence[str], kinds: Kinds | None, *, has_times: bool
) -> dict[str, Any]:
    """What the fields of the form show."""
    measures: list[Measure | None] = [*question.measures, *[None] * MOST_MEASURES]
    groups = [*map(str, question.groups), *[""] * MOST_GROUPS]
    options = [
        ("Time", [(unit, unit.capitalize()) for unit in UNITS]),
        ("Columns", [(str(Group(COLUMN, name)), name) for name in columns]),
        ("Record", [(f"{RECORD}:{fact}", fact.capitalize()) for fact in FACTS]),
    ]
    if kinds:
        bins = [(str(Group(BIN, name)), f"Ranges of {name}") for name in kinds.numbers]
        dates = [Group(unit, name) for name in kinds.dates for unit in UNITS[1:]]
        options[2:2] = [("Ranges", bins), ("Dates", [(str(each), each.title) for each in dates])]
    return {
        "question": question,
        "columns": columns,
        "measure_fields": list(zip(LABELS, measures, strict=False)),
        "group_fields": groups[:MOST_GROUPS],
        "group_options": [(label, some) for label, some in options if some],
        "has_more": bool(len(question.measures) > 1 or question.top or question.order or has_times),
        "known": {value for _, some in options for value, _ in some},
    }


def _table(found: Answer) -> list[tuple[Sequence[str], list[Cell], Cell]]:
    """The first groups as rows: their labels, their figures, their records."""
    return [_listed(found, row) for row in found.rows[:MOST_LISTED]]


def _listed(found: Answer, row: Row) -> tuple[Sequence[str], list[Cell], Cell]:
    texts = map(figure_text, found.question.measures, row.figures)
    cells = [Cell(text, row.url) for text in texts]
    return [part.label for part in row.parts], cells, Cell(f"{row.records:,}", row.url)


def _pivot(found: Answer) -> dict[str, Any] | None:
    """One measure by two groups as a table with totals; None for another question."""
    question = found.question
    if len(question.groups) < 2 or len(question.measures) > 1 or len(found.seconds) > MOST_COLUMNS:
        return None
    measure = question.measures[0]

    def cell(row: Row | None) -> Cell:
        return Cell(figure_text(measure, row.figures[0]), row.url) if row else Cell("", "")

    by_parts = {row.parts: row for row in found.rows}
    return {
        "columns": [(row.parts[0].label, cell(row)) for row in found.seconds],
        "rows": [
            (
                row.parts[0].label,
                [cell(by_parts.get((*row.parts, *column.parts))) for column in found.seconds],
                cell(row),
            )
            for row in found.firsts[:MOST_LISTED]
        ],
        "total": cell(found.total),
    }


def _put_together(parameters: QueryDict) -> QueryDict:
    """The parameters with the measures that the form has sent in parts."""
    found = parameters.copy()
    functions, cells = found.pop(FUNCTION, []), found.pop(CELLS, [])
    measures = []
    for place, function in enumerate(functions):
        column = cells[place] if place < len(cells) else ""
        if function:
            measures.append(f"{function}:{column}" if column else function)
    found.setlist("measure", measures)
    for name in list(found):
        found.setlist(name, [text for text in found.getlist(name) if text.strip()])
    return found


def _without_questions(parameters: QueryDict) -> QueryDict:
    found = parameters.copy()
    for name in PARAMETERS:
        found.pop(name, None)
    return found


def _filter(query: RecordQuery) -> dict[str, Sequence[str]]:
    return {name: texts for name, texts in query.parameters.items() if name not in SHOWING}


def _url(question: Question, query: RecordQuery) -> str:
    parameters = {**_filter(query), **question.parameters()}
    return f"{reverse('questions')}?{urlencode(parameters, doseq=True)}"


def _columns_of(query: RecordQuery) -> list[str]:
    """The columns of the sources in the filter, where no record could be looked at."""
    rows = Source.objects.filter(name__in=query.sources).values_list("columns", flat=True)
    return list(dict.fromkeys(name for columns in rows for name in columns))


def _largest(names: Sequence[str]) -> str:
    """The name of the source with the most records."""
    counts = RecordCount.objects.open().per_status("source")
    totals: dict[str, int] = {}
    for row in counts:
        totals[row["source"]] = totals.get(row["source"], 0) + row["records"]
    return max(names, key=lambda name: totals.get(name, 0))
