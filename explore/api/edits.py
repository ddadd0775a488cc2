"""The API that changes records: one by its ID, or all that a filter finds."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from explore.api.filters import valid_query
from explore.api.record_tags import IF_MATCH, PreconditionFailed, is_seen_by, record_answer
from explore.api.serializers import CellsField, RecordDetailSerializer
from explore.api.views import RECORD_ID, RecordDetailView, RecordListView
from explore.explorer.bulk_actions import CHUNK, MOST, OtherCount, change_expected
from explore.filters.record_filter import RecordFilter
from records import store
from records.errors import InvalidData, RecordChanged, RecordNotFound
from records.models.querysets import RecordQuerySet
from records.permissions import Action, needing
from records.rows import MAX_CELL_CHARACTERS
from web.api.base import Conflict
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

EXPECT = "expect"
# Filters find records; what only says how a list shows them is no part of a change.
LISTING = frozenset({"sort", "column", "result_column"})
FILTERS = frozenset(RecordFilter.base_filters) - LISTING

EXPECTED = OpenApiParameter(
    EXPECT,
    int,
    required=True,
    description=f"How many records you expect the filter to find, at most {MOST:,}. If it finds "
    "another number, nothing is changed, and the answer is 409.",
)
OF_FILTER = [EXPECTED, *(OpenApiParameter(name, exclude=True) for name in sorted(LISTING))]
EDIT = {"data": {"order": "A-1", "amount": "12.50"}}


class EditBody(StrictBody):
    """The cells of a record."""

    # A change of some cells names them as well.
    constraints: ClassVar[dict[str, Any]] = {"required": ["data"]}
    data = CellsField(help_text="The cells, by column.")  # type: ignore[assignment]

    def validate_data(self, data: Any) -> Any:
        cells = data.values() if isinstance(data, dict) else ()
        if any(isinstance(cell, str) and len(cell) > MAX_CELL_CHARACTERS for cell in cells):
            raise serializers.ValidationError(
                f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
            )
        return data


class ChangedSerializer(serializers.Serializer[Any]):
    """How many records were changed."""

    records = serializers.IntegerField(help_text="Number of records that were changed.")


class ExpectQuery(serializers.Serializer[Any]):
    """How many records are expected to match."""

    expect = serializers.IntegerField(min_value=0, max_value=MOST)


ERRORS = dict.fromkeys((400, 401, 403), ErrorSerializer)
describe_put = extend_schema(
    operation_id="records_replace",
    summary="Replace the data of a record",
    description="The former data is kept as a version, and the record is processed again. Data "
    "that is the same changes nothing.",
    parameters=[RECORD_ID, IF_MATCH],
    request=EditBody,
    responses={
        200: RecordDetailSerializer,
        **ERRORS,
        404: ErrorSerializer,
        412: ErrorSerializer,
    },
    examples=[OpenApiExample("All cells", value=EDIT, request_only=True)],
)
describe_patch = extend_schema(
    operation_id="records_edit",
    summary="Change cells of a record",
    description="The other cells stay. The former data is kept as a version, and the record is "
    "processed again. Cells that are the same change nothing.",
    parameters=[RECORD_ID, IF_MATCH],
    request=EditBody,
    responses={
        200: RecordDetailSerializer,
        **ERRORS,
        404: ErrorSerializer,
        412: ErrorSerializer,
    },
    examples=[OpenApiExample("One cell", value={"data": {"amount": "3"}}, request_only=True)],
)
describe_delete = extend_schema(
    operation_id="records_delete",
    summary="Delete a record",
    description="Its results and earlier versions are deleted with it. This can't be undone.",
    parameters=[RECORD_ID, IF_MATCH],
    responses={204: None, **ERRORS, 404: ErrorSerializer, 412: ErrorSerializer},
)
describe_bulk_patch = extend_schema(
    operation_id="records_bulk_edit",
    summary="Change cells of all records that match a filter",
    description="The filters are those of the list of records. Changes are committed in chunks of "
    f"{CHUNK}. The answer counts the records whose data has changed.",
    filters=True,
    parameters=OF_FILTER,
    request=EditBody,
    responses={200: ChangedSerializer, **ERRORS, 409: ErrorSerializer},
    examples=[
        OpenApiExample("One cell", value={"data": {"currency": "EUR"}}, request_only=True),
        OpenApiExample("Changed", value={"records": 17}, response_only=True),
    ],
)
describe_bulk_delete = extend_schema(
    operation_id="records_bulk_delete",
    summary="Delete all records that match a filter",
    description="The filters are those of the list of records. Records are deleted in chunks of "
    f"{CHUNK}, with their results and earlier versions. This can't be undone.",
    filters=True,
    parameters=OF_FILTER,
    responses={200: ChangedSerializer, **ERRORS, 409: ErrorSerializer},
    examples=[OpenApiExample("Deleted", value={"records": 17}, response_only=True)],
)


class EditableRecordListView(RecordListView):
    """Records: list, change or delete those that match a filter, and create some."""

    permission_classes = (
        MayRead,
        needing(POST=Action.IMPORT, PATCH=Action.EDIT_RECORDS, DELETE=Action.DELETE_RECORDS),
    )

    def get_parsers(self) -> list[Any]:
        method = getattr(self.request, "method", "")
        return super().get_parsers() if method == "POST" else [JSONParser()]

    def known_parameters(self, method: str) -> frozenset[str]:
        if method in ("PATCH", "DELETE"):
            return FILTERS | {EXPECT}
        return super().known_parameters(method)

    @describe_bulk_patch
    def patch(self, request: Request) -> Response:
        expected, records = _expected(request)
        cells, user = _data(request), cast(User, request.user)

        def change(ids: list[str]) -> int:
            return store.edit_records(ids=ids, cells=cells, user=user)

        return _changed(records, expected, change)

    @describe_bulk_delete
    def delete(self, request: Request) -> Response:
        expected, records = _expected(request)
        return _changed(records, expected, lambda ids: store.delete_records(ids=ids))


class EditableRecordView(RecordDetailView):
    """One record with its current result, and the run and line that it came from: read, change or
    delete it."""

    parser_classes = (JSONParser,)
    permission_classes = (
        MayRead,
        needing(PUT=Action.EDIT_RECORDS, PATCH=Action.EDIT_RECORDS, DELETE=Action.DELETE_RECORDS),
    )

    @describe_put
    def put(self, request: Request, record_id: str) -> Response:
        return self._edit(request, keeps_others=False)

    @describe_patch
    def patch(self, request: Request, record_id: str) -> Response:
        return self._edit(request, keeps_others=True)

    @describe_delete
    def delete(self, request: Request, record_id: str) -> Response:
        try:
            store.delete_record(record_id=record_id, is_seen=is_seen_by(request))
        except RecordNotFound as error:
            raise exceptions.NotFound("Record not found") from error
        except RecordChanged as error:
            raise PreconditionFailed(str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _edit(self, request: Request, *, keeps_others: bool) -> Response:
        try:
            record = store.edit_record(
                record_id=self.kwargs["record_id"],
                data=_data(request),
                user=cast(User, request.user),
                is_seen=is_seen_by(request),
                keeps_others=keeps_others,
            )
        except RecordNotFound as error:
            raise exceptions.NotFound("Record not found") from error
        except RecordChanged as error:
            raise PreconditionFailed(str(error)) from error
        except InvalidData as error:
            raise serializers.ValidationError({"data": [str(error)]}) from error
        return record_answer(record)


def _changed(
    records: RecordQuerySet, expected: int, change: Callable[[list[str]], int]
) -> Response:
    try:
        return Response({"records": change_expected(records, expected, change)})
    except OtherCount as error:
        raise Conflict(str(error)) from error
    except InvalidData as error:
        raise serializers.ValidationError({"data": [str(error)]}) from error


def _expected(request: Request) -> tuple[int, RecordQuerySet]:
    given = {EXPECT: request.query_params[EXPECT]} if EXPECT in request.query_params else {}
    query = ExpectQuery(data=given)
    query.is_valid(raise_exception=True)
    return query.validated_data[EXPECT], valid_query(request).queryset()


def _data(request: Request) -> dict[str, Any]:
    body = EditBody(data=request.data)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data["data"]
    try:
        store.check_data(data)
    except InvalidData as error:
        raise serializers.ValidationError({"data": [str(error)]}) from error
    return data
