"""The fields of an API request that imports rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from ingestion.errors import IngestionError, InvalidReading
from ingestion.loading import runs
from ingestion.loading.reject_limit import check_limit
from ingestion.parsing.dialect import CHECKS, check_reading
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN, column_names
from ingestion.parsing.number_format import NUMBER_FORMAT
from records.models import OnConflict
from records.number_decision import FORMATS
from records.rows import ROLES
from web.api.base import unknown_name
from web.names import SOURCE_NAME


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns an error of ingestion into an error of the field that is being checked."""
    try:
        yield
    except IngestionError as error:
        raise serializers.ValidationError(str(error)) from error


class ColumnsField(serializers.CharField):
    """Column names, separated by commas."""

    def __init__(self, *, most: int | None = None, **options: Any) -> None:
        self.most = most
        super().__init__(required=False, allow_blank=True, max_length=2_000, **options)

    def to_internal_value(self, data: Any) -> Any:
        columns = column_names(super().to_internal_value(data))
        if self.most is not None and len(columns) > self.most:
            raise serializers.ValidationError(f"Give one column, not {len(columns)}.")
        return columns


class IngestQuery(serializers.Serializer[Any]):
    """The source, the column mapping and the parsing options; whatever is missing is detected."""

    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_blank=True,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The source to import into. Default: named after the file.",
    )
    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="The file name of the input, if the body is the input.",
    )
    id = ColumnsField(help_text="The ID columns, separated by commas.")
    timestamp = ColumnsField(help_text="The timestamp columns, separated by commas.")
    value = ColumnsField(most=1, help_text="The value column.")
    category = ColumnsField(most=1, help_text="The category column.")
    timestamp_format = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text='The date format: "iso", "unix" or a pattern such as "%d/%m/%Y". Default: the '
        "format saved with the source, else the detected one. If the dates are ambiguous, the run "
        "fails with an error that names the formats.",
    )
    timestamp_zone = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=50,
        help_text='The time zone of times without an offset: "Europe/Vienna" or "+01:00". Default: '
        "that of the source, else that of the installation.",
    )
    timestamp_zone_column = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2_000,
        help_text='The column with the time zone of each row, such as "PST" or "Europe/Vienna".',
    )
    number_format = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="How the numbers of the value column are written, as an example: one of "
        f"{', '.join(f'`{text}`' for text in FORMATS)}. Default: the format saved with the source, "
        "else the detected one. If the numbers are ambiguous, the run fails with an error that "
        "names the formats.",
    )
    on_conflict = serializers.ChoiceField(
        choices=OnConflict.choices,
        required=False,
        allow_blank=True,
        help_text="What to do when an existing record changes, for this input and all later "
        "ones of the source. Default: as saved with the source, at first `update`.",
    )
    snapshot = serializers.ChoiceField(
        choices=["0", "1"],
        required=False,
        allow_blank=True,
        help_text="1: this input and all later ones of the source hold all its records, so records "
        "that are missing are closed. 0: they don't. Default: as saved with the source, at first "
        "0.",
    )
    close_many = serializers.ChoiceField(
        choices=["0", "1"],
        required=False,
        allow_blank=True,
        help_text="1: close missing records even if these are more than half of the source.",
    )
    max_rejects = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        help_text='The reject limit: the run stops if more rows than this number ("500") or '
        'percentage of the rows read ("2%") are rejected. Rows imported so far are kept.',
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
        help_text='The line number of the header, "FIRST-LAST" or "none"',
    )
    skip = serializers.CharField(
        required=False, allow_blank=True, help_text="The number of lines before the table."
    )
    sheet = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text='The sheet of a workbook; "*" is all visible sheets with the same columns.',
    )
    rows_path = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text='For JSON: the path to the rows, names or indexes with dots: "data.items", "1".',
    )

    def to_internal_value(self, data: Any) -> Any:
        errors = {}
        known = frozenset(self.fields)
        for field in data:
            if field not in known | {"csrfmiddlewaretoken"}:
                errors[field] = [unknown_name("field", known)]
            elif len(data.getlist(field)) > 1:
                errors[field] = ["This field is given more than once."]
        if errors:
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def validate_timestamp_format(self, text: str) -> str:
        with _refusals():
            return runs.check_date_format(text)

    def validate_timestamp_zone(self, text: str) -> str:
        with _refusals():
            return runs.check_time_zone(text)

    def validate_number_format(self, text: str) -> str:
        with _refusals():
            return runs.check_number_format(text)

    def validate_max_rejects(self, text: str) -> str:
        with _refusals():
            return check_limit(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            check_reading(reading_of(attrs))
        except InvalidReading as error:
            raise serializers.ValidationError({error.what: [str(error)]}) from error
        return attrs


class ItemsQuery(IngestQuery):
    """The source of the items, and its column mapping where it has none yet."""

    source = serializers.CharField(
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The source to import into; it is created if it does not exist.",
    )
    name = None  # type: ignore[assignment]
    max_rejects = None  # type: ignore[assignment]
    encoding = None  # type: ignore[assignment]
    delimiter = None  # type: ignore[assignment]
    quote = None  # type: ignore[assignment]
    escape = None  # type: ignore[assignment]
    header = None  # type: ignore[assignment]
    skip = None  # type: ignore[assignment]
    sheet = None  # type: ignore[assignment]
    rows_path = None  # type: ignore[assignment]


class IngestForm(IngestQuery):
    """A file and the same fields."""

    name = None  # type: ignore[assignment]
    file = serializers.FileField(max_length=255, help_text="The input.")
    format = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="delimited, json, ndjson, xlsx, xls, xlsb, ods, html or parquet",
    )


def reading_of(given: Mapping[str, Any]) -> dict[str, str]:
    """The parsing options of the request."""
    return {name: given[name] for name in CHECKS if given.get(name)}


def mapping_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The column mapping and the policy of the request, as ``runs.create_run`` takes them."""
    roles = {role: given[role] for role in ROLES if given.get(role)}
    names = (FORMAT, ZONE, ZONE_COLUMN, NUMBER_FORMAT, "on_conflict")
    return {"roles": roles, **{name: given.get(name, "") for name in names}}
