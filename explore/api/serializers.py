"""The shapes of the API's answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from explore.metrics.record_counts import Totals
from records.models import DataRecord, ProcessingResult


@extend_schema_field({"type": "object", "additionalProperties": {}})
class CellsField(serializers.JSONField):
    """A row: the names of its columns and its cells."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class NotesField(serializers.JSONField):
    """What rules had to say, one object each."""


class RecordSerializer(serializers.ModelSerializer[DataRecord]):
    """A record as lists show it."""

    source = serializers.CharField(source="source_id")  # type: ignore[assignment]
    data = CellsField()  # type: ignore[assignment]

    class Meta:
        model = DataRecord
        fields = ("id", "timestamp", "source", "status", "data")
        read_only_fields = fields


class ListedRecordSerializer(RecordSerializer):
    """A record as lists show it, with cells of its current result if some were asked for."""

    result = CellsField(required=False, help_text="The cells that `result_column` names.")

    class Meta(RecordSerializer.Meta):
        fields = (*RecordSerializer.Meta.fields, "result")  # type: ignore[assignment]


class ResultSerializer(serializers.ModelSerializer[ProcessingResult]):
    """What the rules made of a record."""

    processed_data = CellsField(allow_null=True)
    errors = NotesField(  # type: ignore[assignment]
        help_text="Each {rule, column, value, message}."
    )
    repairs = NotesField(help_text="Each {rule, column, before, after}.")
    rule_set_version = serializers.IntegerField(source="rule_set.version", allow_null=True)

    class Meta:
        model = ProcessingResult
        fields = (
            "success",
            "processed_data",
            "error_message",
            "errors",
            "repairs",
            "processing_time",
            "rule_set_version",
            "created_at",
        )
        read_only_fields = fields


class RecordDetailSerializer(RecordSerializer):
    """A record with its current result, and where it came from."""

    result = serializers.SerializerMethodField(help_text="Null before it has been processed.")
    run = serializers.IntegerField(
        source="run_id", allow_null=True, help_text="The ingestion run that it came from."
    )
    line = serializers.IntegerField(allow_null=True, help_text="Its line in the input of that run.")

    class Meta:
        model = DataRecord
        fields = (
            *RecordSerializer.Meta.fields,
            "processed_at",
            "created_at",
            "version",
            "run",
            "line",
            "result",
        )
        read_only_fields = fields

    @extend_schema_field(ResultSerializer(allow_null=True))
    def get_result(self, record: DataRecord) -> Any:
        result = record.results.filter(current=True).select_related("rule_set").first()
        return result and ResultSerializer(result).data


class StatusCounts(serializers.Serializer[Totals]):
    """How many records have each status."""

    raw = serializers.IntegerField()
    processing = serializers.IntegerField()
    processed = serializers.IntegerField()
    failed = serializers.IntegerField()


class TotalsSerializer(serializers.Serializer[Totals]):
    """How many records there are, and how their processing went."""

    total_records = serializers.IntegerField(source="total")
    processed_records = serializers.IntegerField(source="processed")
    failed_records = serializers.IntegerField(source="failed")
    raw_records = serializers.IntegerField(source="raw")
    processing_records = serializers.IntegerField(source="processing")
    success_rate = serializers.FloatField(
        help_text="Processed ones among processed and failed ones, in percent; 0 without any."
    )


class SourceTotalsSerializer(TotalsSerializer):
    """The totals of one source."""

    source = serializers.CharField()  # type: ignore[assignment]


class StatsSerializer(TotalsSerializer):
    """The totals, and the same by status and by source."""

    by_status = StatusCounts()
    by_source = SourceTotalsSerializer(many=True)


class HealthSerializer(serializers.Serializer[Any]):
    """Whether the service does its work."""

    service = serializers.CharField()
    status = serializers.ChoiceField(choices=["healthy", "unhealthy"])
    timestamp = serializers.DateTimeField()
    details = serializers.DictField(
        help_text="The version, the state of each part, in `failing` the parts that fail, and in "
        "`runs_wait_for` what keeps runs waiting, such as a full disk."
    )
