"""The REST API of the history of a record."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.serializers import CellsField, NotesField
from explore.history import HISTORY, Part, history
from records.models import DataRecord
from web.api.base import StrictQuery, or_not_found
from web.api.serializers import ErrorSerializer


class CellChangeSerializer(serializers.Serializer[Any]):
    """A cell that changed."""

    column = serializers.CharField(help_text="Name of the column.")
    before = serializers.JSONField(help_text="The cell before; null if there was none.")
    after = serializers.JSONField(help_text="The cell after; null if there is none.")


class StepSerializer(serializers.Serializer[Any]):
    """A rule that was applied."""

    number = serializers.IntegerField(
        allow_null=True, help_text="Its place among the rules; null if it is not known any more."
    )
    description = serializers.CharField(source="words", help_text="The rule in words.")
    changes = CellChangeSerializer(many=True, help_text="The cells that the rule changed.")
    errors = NotesField(  # type: ignore[assignment]
        help_text="Why the rule failed the record: each {rule, column, value, message}."
    )
    anomalies = serializers.ListField(
        child=serializers.CharField(), help_text="Why the rule flagged the record, as sentences."
    )


class PartSerializer(serializers.Serializer[Part]):
    """One thing that happened to a record."""

    kind = serializers.ChoiceField(
        choices=["read", "updated", "edited", "undone", "processed", "failed", "waits"],
        help_text="What happened.",
    )
    title = serializers.CharField(help_text="What happened, as text.")
    when = serializers.DateTimeField(allow_null=True, help_text="When it happened.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="Details, as sentences.")
    cells = CellsField(allow_null=True, help_text="The row as it was read; null for other parts.")
    changes = CellChangeSerializer(many=True, help_text="The cells that changed.")
    steps = StepSerializer(many=True, help_text="The rules that touched the record.")


class HistorySerializer(serializers.Serializer[Any]):
    """The history of a record."""

    id = serializers.CharField(help_text="ID of the record.")
    parts = PartSerializer(many=True, help_text="What happened, the oldest first.")


class HistoryView(StrictQuery):
    """Where a record came from, its updates and edits, and what the rules made of it."""

    @extend_schema(
        operation_id="records_history",
        summary="Get the history of a record",
        description="Where a record came from, its updates and edits, and what the rules made of "
        f"it, the oldest first. The newest {HISTORY} versions and results are listed.",
        parameters=[
            OpenApiParameter(
                "record_id",
                str,
                OpenApiParameter.PATH,
                description="`<source>:<key>`, percent-encoded; the key may contain any character.",
            )
        ],
        responses={200: HistorySerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, record_id: str) -> Response:
        found: DataRecord | None = DataRecord.objects.find(record_id)
        record = or_not_found(found, "Record")
        return Response(HistorySerializer({"id": record.pk, "parts": history(record)}).data)

    def get_view_name(self) -> str:
        return "History"
