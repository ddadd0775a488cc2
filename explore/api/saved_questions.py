"""The REST API of saved questions: their list, their changes, and their answers."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponseBase, QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.questions import AnswerSerializer
from explore.questions.answer import NoAnswer, answer
from explore.questions.files import as_object
from explore.questions.question import QuestionError
from explore.questions.urls import InvalidFilter, parsed
from explore.saved.questions import change_question, save_question
from explore.saved.sharing import CannotSave, audience_of
from records.lookups import by_id
from records.models import Audience, SavedQuestion
from web.api.base import Conflict, StrictQuery, api_url, or_not_found
from web.api.pagination import KeyPagination, TooLong
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the question.")
LONGEST = 100_000
SHARED = "Who finds it: `private`, `everybody`, or `group:` and the number of a group of yours."


class QuestionChange(StrictBody):
    """What is to be changed of a saved question."""

    name = serializers.CharField(required=False, max_length=100, help_text="Name of the question.")
    query = serializers.CharField(
        required=False,
        max_length=LONGEST,
        help_text="Parameters of `/api/v1/questions/answer` as the query of a URL.",
    )
    audience = serializers.CharField(required=False, max_length=30, help_text=SHARED)


class QuestionRequest(QuestionChange):
    """A question to save."""

    name = serializers.CharField(max_length=100, help_text="Name of the question.")
    query = serializers.CharField(
        max_length=LONGEST,
        help_text="Parameters of `/api/v1/questions/answer` as the query of a URL.",
    )


class SavedQuestionSerializer(serializers.ModelSerializer[SavedQuestion]):
    """A saved question."""

    owner = serializers.CharField(source="owner.username", help_text="Name of its owner.")
    audience = serializers.SerializerMethodField(help_text=SHARED)
    answer = serializers.SerializerMethodField(help_text="URL of its answer in the API.")
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the question.")

    class Meta:
        model = SavedQuestion
        fields = (
            "id", "name", "query", "owner", "audience", "created_at", "changed_at", "answer",
            "page",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Number of the question."},
            "name": {"help_text": "Name of the question."},
            "query": {"help_text": "The question as the query of a URL."},
            "created_at": {"help_text": "When it was saved first."},
            "changed_at": {"help_text": "When it was saved last."},
        }

    def get_audience(self, saved: SavedQuestion) -> str:
        return audience_of(saved)

    def get_answer(self, saved: SavedQuestion) -> str:
        return api_url(self.context["request"], "api-saved-answer", saved.pk)


class SavedQuestionPagination(KeyPagination):
    """Questions in the order in which they were saved first."""

    name = "saved_questions"


class SavedQuestionListView(StrictQuery, generics.ListAPIView[SavedQuestion]):
    """Your saved questions, and those that others share with you."""

    parser_classes = (JSONParser,)
    queryset = SavedQuestion.objects.none()
    serializer_class = SavedQuestionSerializer
    pagination_class = SavedQuestionPagination
    query_parameters = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="saved_questions_list",
        summary="List saved questions",
        responses={
            200: SavedQuestionSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="saved_questions_create",
        summary="Save a question",
        request=QuestionRequest,
        responses={
            201: SavedQuestionSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Save a question by a name that you have not used yet."""
        wanted = QuestionRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        try:
            saved = save_question(
                user=cast(User, request.user),
                name=said["name"],
                parameters=QueryDict(said["query"]),
                audience=said.get("audience", Audience.PRIVATE),
            )
        except CannotSave as error:
            raise refused(error) from error
        made = SavedQuestionSerializer(saved, context={"request": request}).data
        headers = {"Location": api_url(request, "api-saved-question", saved.pk)}
        return Response(made, status=status.HTTP_201_CREATED, headers=headers)

    def get_queryset(self) -> Any:
        return SavedQuestion.objects.listed_for(self.request.user).with_people()

    def get_view_name(self) -> str:
        return "Saved questions"


class SavedQuestionView(StrictQuery):
    """A saved question."""

    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="saved_questions_retrieve",
        summary="Get a saved question",
        parameters=[NUMBER],
        responses={200: SavedQuestionSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        saved = _seen(request, pk)
        return Response(SavedQuestionSerializer(saved, context={"request": request}).data)

    @extend_schema(
        operation_id="saved_questions_update",
        summary="Change a saved question",
        parameters=[NUMBER],
        request=QuestionChange,
        responses={
            200: SavedQuestionSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Rename a question of yours, replace its query, or share it."""
        saved = _own(request, pk)
        wanted = QuestionChange(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        try:
            change_question(
                saved,
                name=said.get("name"),
                parameters=QueryDict(said["query"]) if "query" in said else None,
                audience=said.get("audience"),
            )
        except CannotSave as error:
            raise refused(error) from error
        return Response(SavedQuestionSerializer(saved, context={"request": request}).data)

    @extend_schema(
        operation_id="saved_questions_delete",
        summary="Delete a saved question",
        parameters=[NUMBER],
        responses={204: None, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a question of yours; dashboards say that it is gone."""
        _own(request, pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "Saved question"


class SavedAnswerView(StrictQuery):
    """The answer to a saved question."""

    @extend_schema(
        operation_id="saved_questions_answer",
        summary="Answer a saved question",
        description="The same as `/api/v1/questions/answer` gives for its query, as of now.",
        parameters=[NUMBER],
        responses={
            200: AnswerSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        try:
            found = answer(*parsed(_seen(request, pk).parameters))
        except QuestionError as error:
            raise ValidationError(error.errors) from error
        except InvalidFilter as error:
            raise ValidationError({"query": [str(error)]}) from error
        except NoAnswer as error:
            raise TooLong(str(error)) from error
        return Response(AnswerSerializer(as_object(found)).data)

    def get_view_name(self) -> str:
        return "Answer"


def refused(error: CannotSave) -> ValidationError | Conflict:
    """What the API says of something that can't be saved."""
    return ValidationError({error.field: [str(error)]}) if error.field else Conflict(str(error))


def _seen(request: Request, pk: int) -> SavedQuestion:
    rows = SavedQuestion.objects.listed_for(request.user).with_people()
    return cast(SavedQuestion, or_not_found(by_id(rows, pk), "Saved question"))


def _own(request: Request, pk: int) -> SavedQuestion:
    rows = SavedQuestion.objects.owned_by(request.user).with_people()
    return cast(SavedQuestion, or_not_found(by_id(rows, pk), "Saved question of yours"))
