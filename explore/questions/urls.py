"""Questions as queries of URLs: a question, and the filter of the records that it is about."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import QueryDict

from explore.filters import RecordQuery
from explore.filters.parameters import refusal
from explore.filters.record_filter import SHOWING
from explore.questions.question import PARAMETERS, Question


class InvalidFilter(Exception):
    """A filter with unknown or wrong parameters; the message is for the user."""


def filter_parameters(parameters: QueryDict) -> QueryDict:
    """The parameters without those of the question."""
    found = parameters.copy()
    for name in PARAMETERS:
        found.pop(name, None)
    return found


def parsed(parameters: QueryDict) -> tuple[Question, RecordQuery]:
    """The question that a query of a URL says. Raises InvalidFilter and QuestionError."""
    asked = filter_parameters(parameters)
    if sentence := refusal(asked, besides=()):
        raise InvalidFilter(sentence)
    query = RecordQuery.parse(asked)
    if not query.is_valid:
        raise InvalidFilter(" ".join(text for texts in query.errors.values() for text in texts))
    return Question.parse(dict(parameters.lists())), query


def query_string(question: Question, query: RecordQuery) -> str:
    """The question as the query of a URL."""
    return urlencode({**_chosen(query), **question.parameters()}, doseq=True)


def _chosen(query: RecordQuery) -> dict[str, Sequence[str]]:
    return {name: texts for name, texts in query.parameters.items() if name not in SHOWING}
