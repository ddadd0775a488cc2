"""The API of the catalogue of problems: what the ``type`` of an error leads to."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from web.api.base import StrictQuery, or_not_found
from web.api.problems import CATALOGUE, CODES, Kind
from web.api.serializers import ErrorSerializer


class ProblemKindSerializer(serializers.Serializer[Any]):
    """A kind of error."""

    code = serializers.ChoiceField(choices=CODES, help_text="The stable code.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    title = serializers.CharField(help_text="The title, the same for every error of this kind.")
    meaning = serializers.CharField(help_text="What the error means.")


class ProblemsSerializer(serializers.Serializer[Any]):
    """The catalogue of errors."""

    problems = ProblemKindSerializer(many=True, help_text="All kinds of errors.")


class _Public(StrictQuery):
    """An error may be that a client is not let in: what it means can be read by everyone."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)


class ProblemListView(_Public):
    """The kinds of errors of the API, with their stable codes."""

    @extend_schema(
        operation_id="problems_list",
        summary="List the kinds of errors",
        responses={200: ProblemsSerializer, 400: ErrorSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response({"problems": [_said(*each) for each in CATALOGUE.items()]})


class ProblemView(_Public):
    """One kind of error. The `type` of an error is the URL of its kind."""

    @extend_schema(
        operation_id="problems_retrieve",
        summary="Get a kind of error",
        parameters=[
            OpenApiParameter("code", str, OpenApiParameter.PATH, description="The stable code.")
        ],
        responses={200: ProblemKindSerializer, 400: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(_said(code, or_not_found(CATALOGUE.get(code), "Problem")))


def _said(code: str, kind: Kind) -> dict[str, Any]:
    return {"code": code, **kind._asdict()}
