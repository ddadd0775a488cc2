"""The API endpoint that answers questions."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.filters import valid_query
from explore.filters.record_filter import SHOWING, RecordFilter
from explore.questions.answer import MOST_ROWS, NoAnswer, answer
from explore.questions.files import as_csv, as_object
from explore.questions.question import (
    FUNCTIONS,
    MOST_GROUPS,
    MOST_MEASURES,
    MOST_TOP,
    ORDERS,
    PARAMETERS,
    UNITS,
    Question,
    QuestionError,
)
from records.models import DataRecord
from web.api.base import StrictQuery
from web.api.negotiation import AlwaysJSON
from web.api.pagination import TooLong
from web.api.serializers import ErrorSerializer

FORMATS = ("json", "csv")


class QuestionFilter(RecordFilter):
    """The filter of records, without what says how records are listed."""

    sort: Any = None
    column: Any = None
    result_column: Any = None


class RowSerializer(serializers.Serializer[Any]):
    """The figures of a group of records."""

    by = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="The value of each group; “(others)”, “(not a number)”, “(not a date)” or “(not "
        "processed)” for records that have none.",
    )
    measures = serializers.ListField(
        child=serializers.FloatField(allow_null=True),
        help_text="The figure of each measure; null if no record has a number.",
    )
    records = serializers.IntegerField(help_text="Number of records in the group.")
    url = serializers.CharField(
        help_text="Page that lists exactly these records; empty if no URL can say which they are."
    )


class RemarkSerializer(serializers.Serializer[Any]):
    """Something that the answer rests on."""

    kind = serializers.ChoiceField(
        choices=["not_number", "empty", "not_processed", "repaired", "rejected", "behind"],
        help_text="What it is about: cells that are not numbers or are empty, records without a "
        "processed result, cells that a rule has repaired, open rejected rows, or changes that are "
        "not counted yet.",
    )
    column = serializers.CharField(help_text="Column of the cells, or empty.")
    count = serializers.IntegerField(help_text="Number of cells, records or rows.")
    text = serializers.CharField(help_text="The remark in words.")
    url = serializers.CharField(help_text="Page that lists them, or empty.")


class AnswerSerializer(serializers.Serializer[Any]):
    """The answer to a question."""

    title = serializers.CharField(help_text="The question in words.")
    by = serializers.ListField(child=serializers.CharField(), help_text="Names of the groups.")
    measures = serializers.ListField(
        child=serializers.CharField(), help_text="Names of the measures."
    )
    rows = RowSerializer(many=True, help_text="The groups, in their order.")
    total = RowSerializer(help_text="All records together.")
    first_totals = RowSerializer(many=True, help_text="Of two groups, the totals of the first.")
    second_totals = RowSerializer(many=True, help_text="Of two groups, the totals of the second.")
    remarks = RemarkSerializer(many=True, help_text="What the answer rests on.")
    as_of = serializers.DateTimeField(help_text="When the records were as they are counted here.")


class AnswerView(StrictQuery, GenericAPIView[DataRecord]):
    """Measures of the records that match a filter, by groups."""

    queryset = DataRecord.objects.all()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = QuestionFilter
    pagination_class = None
    # `format` names the kind of file, and not how the API answers.
    content_negotiation_class = AlwaysJSON
    query_parameters = frozenset(
        {*RecordFilter.base_filters.keys() - set(SHOWING), *PARAMETERS, "format"}
    )
    repeatable = RecordFilter.repeatable() | {"measure", "by"}

    @extend_schema(
        operation_id="questions_answer",
        summary="Answer a question",
        description="Up to three measures by up to two groups of the records that match the "
        f"filter, exact and as of one moment. An answer has at most {MOST_ROWS:,} groups. Each "
        "group has the URL of the page that lists its records.",
        filters=True,
        parameters=[
            OpenApiParameter(
                "measure", str, many=True,
                description=f"Up to {MOST_MEASURES} of `FUNCTION:COLUMN`, such as `sum:Total`. "
                f"Functions: {', '.join(FUNCTIONS)}. `count` and `share` need no column. "
                "Default: `count`.",
            ),
            OpenApiParameter(
                "by", str, many=True,
                description=f"Up to {MOST_GROUPS} groups: a column (`Region`), a unit of the "
                f"timestamp ({', '.join(UNITS)}), a unit of a column of dates (`month:Due`), "
                "ranges of numbers (`bin:Total`), `record:source` or `record:status`.",
            ),
            OpenApiParameter(
                "top", {"type": "integer", "minimum": 1, "maximum": MOST_TOP},
                description="How many groups of a column to list, those with the largest first "
                "measure; the others are combined.",
            ),
            OpenApiParameter(
                "order", str, enum=list(ORDERS),
                description="Order of the groups. Default: time and ranges ascending, others by "
                "the first measure, largest first.",
            ),
            OpenApiParameter(
                "format", str, enum=FORMATS,
                description="Format of the answer. CSV has the "
                "figures without the remarks. Default: `json`.",
            ),
        ],
        responses={
            (200, "application/json"): AnswerSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            400: ErrorSerializer,
            401: ErrorSerializer,
            503: ErrorSerializer,
        },
    )  # fmt: skip
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        kind = request.query_params.get("format") or FORMATS[0]
        if kind not in FORMATS:
            raise ValidationError({"format": [f"Choose one of {', '.join(FORMATS)}."]})
        try:
            found = answer(Question.parse(dict(request.query_params.lists())), valid_query(request))
            if kind == "csv":
                return HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
        except QuestionError as error:
            raise ValidationError(error.errors) from error
        except NoAnswer as error:
            raise TooLong(str(error)) from error
        return Response(AnswerSerializer(as_object(found)).data)

    def get_view_name(self) -> str:
        return "Answer"
