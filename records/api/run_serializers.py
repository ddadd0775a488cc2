"""Runs as the API shows them: what all kinds share, and what each kind adds."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from records.models import Export, IngestionRun, ProcessingRun, RuleDryRun, RunState, Undo
from records.run_kinds import KINDS, kind_of, source_of
from web.api.base import api_url

KIND_NAMES = list(KINDS)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SentencesField(serializers.JSONField):
    """Names or notes."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """An object whose members depend on what it is about."""


class LedgerSerializer(serializers.Serializer[IngestionRun]):
    """The five counts of a run. Always read = created + updated + unchanged + rejected."""

    read = serializers.IntegerField(help_text="Rows of the input that were read.")
    created = serializers.IntegerField(help_text="Rows that became new records.")
    updated = serializers.IntegerField(help_text="Rows that changed a record.")
    unchanged = serializers.IntegerField(help_text="Rows that left a record as it was.")
    rejected = serializers.IntegerField(help_text="Rows that could not become records.")


class ProgressSerializer(serializers.Serializer[IngestionRun]):
    """Progress of a run."""

    bytes_read = serializers.IntegerField(help_text="Bytes of the input that were read.")
    activity = serializers.CharField(
        source="doing",
        help_text="Current activity as text, such as the page of an API that is being fetched, "
        "or why it failed and when it is retried. Empty once the run has ended.",
    )
    bytes_total = serializers.IntegerField(
        source="known_size", allow_null=True, help_text="Size of the input; null while unknown."
    )
    share = serializers.FloatField(
        source="share_read", help_text="Share of the input that was read, 0 to 1."
    )
    rows_per_second = serializers.FloatField(
        source="rate", allow_null=True, help_text="Rows per second; null before the first."
    )
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="Null if the run is not running or the time is not known yet."
    )


class RunSerializer(serializers.Serializer[Any]):
    """A run: what all kinds share."""

    kind = serializers.SerializerMethodField(help_text="The kind of the run.")
    id = serializers.IntegerField(help_text="Number of the run; each kind has its own numbers.")
    url = serializers.SerializerMethodField(help_text="URL of the run in the API.")
    source = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Name of the source; null for a run over all sources, and for an export."
    )
    state = serializers.ChoiceField(choices=RunState.choices, help_text="State of the run.")
    activity = serializers.SerializerMethodField(
        help_text="What is done for it now, as text; empty once the run has ended."
    )
    error = serializers.CharField(help_text="Why the run failed; empty if it did not.")
    waits_for = serializers.CharField(
        help_text="What the run waits for, such as disk space; empty if it does not wait."
    )
    retry_at = serializers.DateTimeField(
        allow_null=True, help_text="When a waiting run is tried again; null if it does not wait."
    )
    how = serializers.CharField(
        source="trigger", help_text="What started the run, such as `upload`, `api` or `schedule`."
    )
    user = serializers.CharField(
        source="user.username",
        default=None,
        allow_null=True,
        help_text="Name of the user who started the run; null if nobody did.",
    )
    created_at = serializers.DateTimeField(help_text="When the run was created.")
    started_at = serializers.DateTimeField(
        allow_null=True, help_text="When a worker first took the run up."
    )
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When the run ended.")

    @extend_schema_field(serializers.ChoiceField(choices=KIND_NAMES))
    def get_kind(self, run: Any) -> str:
        return kind_of(run).name

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, run: Any) -> str:
        return run_url(self.context["request"], run)

    @extend_schema_field({"type": ["string", "null"]})
    def get_source(self, run: Any) -> str | None:
        found = source_of(run)
        return found.name if found else None

    def get_activity(self, run: Any) -> str:
        return str(getattr(run, "doing", run.waiting))


class IngestionRunSerializer(RunSerializer):
    """An ingestion run: one load of one input into one source, or a replay of rejected rows; or a
    run that gives the stored records of a source another key."""

    ledger = LedgerSerializer(source="*", help_text="The counts of its rows.")
    rekeyed = serializers.IntegerField(
        help_text="Stored records that got another key. Not part of the ledger."
    )
    progress = ProgressSerializer(source="*", help_text="How far the run is.")
    notes = SentencesField(help_text="What was noticed about the input, as sentences.")
    file_name = serializers.CharField(help_text="Name of the input.")
    sha256 = serializers.CharField(help_text="SHA-256 of the input; empty while unknown.")
    encoding = serializers.CharField(help_text="Encoding of the input; empty while unknown.")
    columns = SentencesField(help_text="Columns of the input.")
    mapping = ObjectField(help_text="The columns by role, and the formats of dates and numbers.")
    parent = serializers.IntegerField(  # type: ignore[assignment]
        source="parent_id",
        allow_null=True,
        help_text="The run whose rejected rows this one replays; null if it is no replay.",
    )
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the run.")


class ProcessingRunSerializer(RunSerializer):
    """A processing run: one pass of the rules over records."""

    selection = serializers.CharField(
        help_text="Which records are processed: `raw`, `all`, `failed` or `changed`."
    )
    limit = serializers.IntegerField(
        allow_null=True, help_text="Maximum number of records to process; null for no limit."
    )
    total = serializers.IntegerField(help_text="Records to process, as counted at the start.")
    processed = serializers.IntegerField(help_text="Records that passed the rules.")
    failed = serializers.IntegerField(help_text="Records that failed a rule.")
    repaired = serializers.IntegerField(help_text="Processed records with a repaired cell.")
    unchanged = serializers.IntegerField(help_text="Records whose result is as before.")
    share = serializers.FloatField(source="share_done", help_text="Share that is done, 0 to 1.")
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="Null if the run is not running or the time is not known yet."
    )
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the run.")


class DryRunSerializer(RunSerializer):
    """A dry run of a file: what its import would do."""

    run = serializers.IntegerField(
        source="run_id", help_text="The draft: an ingestion run that can be imported."
    )
    bytes_read = serializers.IntegerField(help_text="Bytes of the input that were read.")
    read = serializers.IntegerField(help_text="Rows of the input that were read.")
    report = ObjectField(
        help_text="What the import would do: the ledger, reasons of rejected rows, examples of "
        "changes, and a profile of each column. Complete once the run has finished."
    )


class RuleDryRunSerializer(RunSerializer):
    """A test of rules on all records of a source."""

    rules = serializers.JSONField(help_text="The rules that are tested.")
    total = serializers.IntegerField(help_text="Records of the source at the start.")
    done = serializers.IntegerField(help_text="Records that were tested.")
    report = ObjectField(
        help_text="What the rules would change: counts and examples by rule and column. Complete "
        "once the run has finished."
    )
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the test.")


class UndoSerializer(RunSerializer):
    """The undo of an ingestion run."""

    run = serializers.IntegerField(source="run_id", help_text="The ingestion run that is undone.")
    deleted = serializers.IntegerField(help_text="Records that the run had created.")
    restored = serializers.IntegerField(help_text="Records that got their earlier content back.")
    kept = serializers.IntegerField(help_text="Records that were changed later, and are kept.")
    kept_ids = SentencesField(help_text="IDs of the first of these.")


class ExportRunSerializer(RunSerializer):
    """An export that a worker creates; `/exports/{id}` has the URL of its file."""

    query = serializers.CharField(help_text="The filter and the options, as the query of a URL.")
    total = serializers.IntegerField(
        allow_null=True, help_text="Records to export; null until they are counted."
    )
    done = serializers.IntegerField(help_text="Records that were written.")
    file_name = serializers.CharField(help_text="Name of the file; empty until it is finished.")
    size = serializers.IntegerField(help_text="Size of the file in bytes.")
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When the file is deleted; null until it is finished."
    )
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the export.")


SERIALIZERS: dict[type, type[RunSerializer]] = {
    IngestionRun: IngestionRunSerializer,
    ProcessingRun: ProcessingRunSerializer,
    RuleDryRun: RuleDryRunSerializer,
    Undo: UndoSerializer,
    Export: ExportRunSerializer,
}


def described(run: Any, request: Any) -> dict[str, Any]:
    """A run with all that its kind has."""
    serializer = SERIALIZERS.get(type(run), DryRunSerializer)
    return dict(serializer(run, context={"request": request}).data)


def run_url(request: Any, run: Any) -> str:
    """The URL of a run in the API."""
    return api_url(request, "api-run", kind_of(run).name, run.pk)
