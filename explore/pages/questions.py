"""The page of questions: measures by groups of what a filter finds."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from explore.charts.bundle import bundle
from explore.filters import RecordQuery
from explore.filters.duckdb import matching
from explore.filters.parameters import refusal
from explore.questions.answer import SECONDS, NoAnswer, answered, limited, opened
from explore.questions.display import displayed
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
from explore.questions.urls import filter_parameters, query_string
from explore.saved.sharing import audience_of, audiences_for
from records.lookups import by_id
from records.models import Dashboard, RecordCount, SavedQuestion, Source
from web.requests import PageRequest

# A measure, as the form on the page sends it in parts.
FUNCTION, CELLS = "function", "cells"
LABELS = ("Measure", "Second measure", "Third measure")
# What the URL says of the saved question that was opened; its changes go on to say it.
SAVED = "saved"
# What the form has fields for.
FIELDS = ("source", "time_from", "time_to")


@require_safe
def questions(request: PageRequest) -> HttpResponse:
    """The form, and the answer; without a question a good first one for the source."""
    if FUNCTION in request.GET or CELLS in request.GET:
        return redirect(f"{reverse('questions')}?{_put_together(request.GET).urlencode()}")
    asked = filter_parameters(request.GET)
    saved = _saved(request, asked.pop(SAVED, [""])[-1])
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
        "saved": saved,
        "is_own": saved is not None and saved.owner_id == request.user.pk,
        "audience": audience_of(saved) if saved else "",
        "audiences": audiences_for(request.user),
        "dashboards": Dashboard.objects.owned_by(request.user).order_by("-changed_at"),
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
        "shown": displayed(found),
        "columns": columns,
        "kinds": kinds,
        "suggestions": [(each.title, _url(each, query)) for each in more],
        "new_name": _name(question, query),
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


def _saved(request: PageRequest, text: str) -> SavedQuestion | None:
    """The saved question that was opened, if it is one of those that the reader sees."""
    if not text.isascii() or not text.isdigit():
        return None
    rows = SavedQuestion.objects.listed_for(request.user).with_people()
    return by_id(rows, int(text))


def _name(question: Question, query: RecordQuery) -> str:
    """A name for a question that is to be saved."""
    title = f"{', '.join(query.sources)}: {question.title}" if query.sources else question.title
    return title[:100].strip()


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


def _url(question: Question, query: RecordQuery) -> str:
    return f"{reverse('questions')}?{query_string(question, query)}"


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
