"""The fields of a request that loads rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from ingestion.errors import IngestionError, InvalidReading
from ingestion.loading import runs
from ingestion.loading.reject_limit import check_limit
from ingestion.parsing.dialect import CHECKS, check_reading
from ingestion.parsing.mapping import column_names
from web.api.base import unknown_name
from web.names import SOURCE_NAME


@contextmanager
def _refusals() -> Iterator[None]:
    """What this app refuses is wrong with the field that is looked at."""
    try:
        yield
    except IngestionError as error:
        raise serializers.ValidationError(str(error)) from error


class ColumnsField(serializers.CharField):
    """Names of columns, separated by commas."""

    def __init__(self, *, most: int | None = None, **options: Any) -> None:
        self.most = most
        super().__init__(required=False, allow_blank=True, max_length=2_000, **options)

    def to_internal_value(self, data: Any) -> Any:
        columns = column_names(super().to_internal_value(data))
        if self.most is not None and len(columns) > self.most:
            raise serializers.ValidationError(f"Name one column, not {len(columns)}.")
        return columns


class IngestQuery(serializers.Serializer[Any]):
    """Where rows go, who plays which role, and how they are read; the rest is found out."""

    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_blank=True,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The source that the rows belong to. Without it: named after the file.",
    )
    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="What the input is called, where the body is the input.",
    )
    id = ColumnsField(help_text="The columns of the key, separated by commas.")
    timestamp = ColumnsField(help_text="The columns of the timestamp.")
    value = ColumnsField(most=1, help_text="The column of the value.")
    category = ColumnsField(most=1, help_text="The column of the category.")
    timestamp_format = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text='How the dates are meant: "iso", "unix", or one such as "%d/%m/%Y". Without it: '
        "as the source remembers it, else found out. Where dates can be read in two ways, the run "
        "fails and says so.",
    )
    max_rejects = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        help_text='The run stops at more rejected rows than so many, "500", or such a share of '
        'those read, "2%". What has landed stays.',
    )
    encoding = serializers.CharField(
        required=False, allow_blank=True, help_text="The encoding of the input. Default: detected."
    )
    delimiter = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text='One character, or "tab"'
    )
    quote = serializers.CharField(
        required=False, allow_blank=True, help_text='One character, or "none"'
    )
    escape = serializers.CharField(
        required=False, allow_blank=True, help_text='One character, or "none"'
    )
    header = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text='The line of the header, "FIRST-LAST", or "none"',
    )
    skip = serializers.CharField(
        required=False, allow_blank=True, help_text="How many lines come before the table."
    )
    sheet = serializers.CharField(
        required=False, allow_blank=True, help_text="The sheet of a workbook."
    )
    rows_path = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Of JSON: the names that lead to the rows, joined by dots.",
    )

    def to_internal_value(self, data: Any) -> Any:
        errors = {}
        known = frozenset(self.fields)
        for field in data:
            if field not in known | {"csrfmiddlewaretoken"}:
                errors[field] = [unknown_name("field", known)]
            elif len(data.getlist(field)) > 1:
                errors[field] = ["This is given more than once."]
        if errors:
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def validate_timestamp_format(self, text: str) -> str:
        with _refusals():
            return runs.check_date_format(text)

    def validate_max_rejects(self, text: str) -> str:
        with _refusals():
            return check_limit(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            check_reading(reading_of(attrs))
        except InvalidReading as error:
            raise serializers.ValidationError({error.what: [str(error)]}) from error
        return attrs


class IngestForm(IngestQuery):
    """A file, and the same fields beside it."""

    name = None  # type: ignore[assignment]
    file = serializers.FileField(max_length=255)
    format = serializers.CharField(
        required=False, allow_blank=True, help_text="delimited, json, ndjson or xlsx"
    )


def reading_of(given: Mapping[str, Any]) -> dict[str, str]:
    """What the sender says about how the input is read."""
    return {name: given[name] for name in CHECKS if given.get(name)}
