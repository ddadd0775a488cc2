"""The schemas of the API's responses."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from explore.metrics.record_counts import Totals
from records.models import DataRecord, ProcessingResult

CLOSED_BY = "The ingestion run since which the record is closed; null if it is not."
RECORD = {
    "id": {"help_text": "`<source>:<key>`."},
    "timestamp": {"help_text": "When it happened, as its data say; null if they do not."},
    "status": {"help_text": "How far the record is processed."},
    "processed_at": {"help_text": "When it was last processed; null if it was not."},
    "created_at": {"help_text": "When it was imported first."},
    "version": {"help_text": "How many contents it has had."},
}


@extend_schema_field({"type": "object", "additionalProperties": {}})
class CellsField(serializers.JSONField):
    """A row: the names of its columns and its cells."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class NotesField(serializers.JSONField):
    """Errors or repairs of rules, one object each."""


class RecordSerializer(serializers.ModelSerializer[DataRecord]):
    """A record in a list."""

    source = serializers.CharField(  # type: ignore[assignment]
        source="source_id", help_text="Name of the source."
    )
    data = CellsField(help_text="The cells by column, as imported.")  # type: ignore[assignment]

    class Meta:
        model = DataRecord
        fields = ("id", "timestamp", "source", "status", "data")
        read_only_fields = fields
        extra_kwargs = RECORD


class ListedRecordSerializer(RecordSerializer):
    """A record in a list, with the requested cells of its current result."""

    result = CellsField(required=False, help_text="The cells of the columns in `result_column`.")
    closed_by_run = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"{CLOSED_BY} Only with `closed`."
    )

    class Meta(RecordSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *RecordSerializer.Meta.fields,
            "result",
            "closed_by_run",
        )


class ResultSerializer(serializers.ModelSerializer[ProcessingResult]):
    """The result of applying the rules to a record."""

    processed_data = CellsField(
        allow_null=True, help_text="The cells that the rules made; null if the record failed."
    )
    errors = NotesField(  # type: ignore[assignment]
        help_text="What failed: each {rule, column, value, message}."
    )
    repairs = NotesField(help_text="What was repaired: each {rule, column, before, after}.")
    rule_set_version = serializers.IntegerField(
        source="rule_set.version", allow_null=True, help_text="Version of the rules."
    )

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
        extra_kwargs = {
            "success": {"help_text": "Whether the record passed the rules."},
            "error_message": {"help_text": "Why it failed, as text; null if it did not."},
            "processing_time": {"help_text": "Seconds that the rules took."},
            "created_at": {"help_text": "When the rules were applied."},
        }


class RecordDetailSerializer(RecordSerializer):
    """A record with its current result (of a closed one the last) and its origin."""

    result = serializers.SerializerMethodField(
        help_text="Null until the record has been processed."
    )
    run = serializers.IntegerField(
        source="run_id", allow_null=True, help_text="Ingestion run that the record came from."
    )
    line = serializers.IntegerField(allow_null=True, help_text="Line in the input of that run.")
    closed_by_run = serializers.IntegerField(
        source="closed_by_id", allow_null=True, help_text=CLOSED_BY
    )

    class Meta:
        model = DataRecord
        fields = (
            *RecordSerializer.Meta.fields,
            "processed_at",
            "created_at",
            "version",
            "run",
            "line",
            "closed_by_run",
            "result",
        )
        read_only_fields = fields
        extra_kwargs = RECORD

    @extend_schema_field(ResultSerializer(allow_null=True))
    def get_result(self, record: DataRecord) -> Any:
        results = ProcessingResult.objects.shown("" if record.closed_by_id is None else "1")
        result = results.filter(record=record).select_related("rule_set").first()
        return result and ResultSerializer(result).data


class StatusCounts(serializers.Serializer[Totals]):
    """Number of records per status."""

    raw = serializers.IntegerField(help_text="Records that wait to be processed.")
    processing = serializers.IntegerField(help_text="Records that are being processed.")
    processed = serializers.IntegerField(help_text="Records that passed the rules.")
    failed = serializers.IntegerField(help_text="Records that failed a rule.")


class TotalsSerializer(serializers.Serializer[Totals]):
    """Number of records, and the outcome of their processing."""

    total_records = serializers.IntegerField(source="total", help_text="Number of records.")
    processed_records = serializers.IntegerField(
        source="processed", help_text="Records that passed the rules."
    )
    failed_records = serializers.IntegerField(
        source="failed", help_text="Records that failed a rule."
    )
    raw_records = serializers.IntegerField(
        source="raw", help_text="Records that wait to be processed."
    )
    processing_records = serializers.IntegerField(
        source="processing", help_text="Records that are being processed."
    )
    success_rate = serializers.FloatField(
        help_text="processed / (processed + failed) in percent; 0 if there are none."
    )


class SourceTotalsSerializer(TotalsSerializer):
    """The totals of one source."""

    source = serializers.CharField(help_text="Name of the source.")  # type: ignore[assignment]


class StatsSerializer(TotalsSerializer):
    """Totals overall, by status and by source."""

    by_status = StatusCounts(help_text="Number of records per status.")
    by_source = SourceTotalsSerializer(many=True, help_text="The same for each source.")


class HealthSerializer(serializers.Serializer[Any]):
    """Health of the service."""

    service = serializers.CharField(help_text="Name of the service.")
    status = serializers.ChoiceField(
        choices=["healthy", "unhealthy"], help_text="Whether every part works."
    )
    timestamp = serializers.DateTimeField(help_text="When the health was checked.")
    details = serializers.DictField(
        help_text="Version and state of each part; `failing` lists the parts that fail, and "
        "`runs_wait_for` what blocks runs, such as a full disk."
    )
