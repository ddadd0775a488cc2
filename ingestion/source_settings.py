"""The settings of a source: column mapping, existing records and parsing options.

They are a flat mapping of names to values: a role has a list of columns, ``is_snapshot`` is true or
false, everything else a text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from ingestion.errors import IngestionError, InvalidReading
from ingestion.parsing.dialect import CHECKS, check_reading
from ingestion.parsing.mapping import knows_roles
from ingestion.parsing.number_format import NUMBER_FORMAT, NUMBERS, chosen_format, known_style
from records.models import OnConflict, Source
from records.models.mappings import (
    FORMAT,
    ZONE,
    ZONE_COLUMN,
    check_columns,
    check_format,
    check_zone,
)
from records.number_decision import FORMATS, with_signs
from records.number_text import PLAIN
from records.rows import ROLES

# The settings of dates.
DATES = (FORMAT, ZONE, ZONE_COLUMN)
# All settings but ``is_snapshot``, in the order in which they are shown.
NAMES = (*ROLES, *DATES, NUMBER_FORMAT, "on_conflict", *CHECKS)


class InvalidSettings(IngestionError):
    """Settings that a source can't have; ``errors`` says why, by their names."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


def settings_of(source: Source) -> dict[str, Any]:
    """The settings of a source as they are now."""
    known = {**source.reading, **source.mapping, "on_conflict": source.on_conflict}
    if values := source.mapping.get("value"):
        known[NUMBER_FORMAT] = chosen_format(source.mapping, values[0])
    texts = {name: known.get(name) or ([] if name in ROLES else "") for name in NAMES}
    return texts | {"is_snapshot": source.is_snapshot}


def change_settings(*, source: Source, chosen: Mapping[str, Any]) -> None:
    """Save settings for the next input of a source; existing records don't change.

    A name that is not among those chosen keeps what it is. Raises InvalidSettings.
    """
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source.pk)
        settled = settings_of(source) | dict(chosen)
        if errors := problems(source, settled):
            raise InvalidSettings(errors)
        after = {
            "mapping": _mapping(source, settled),
            "on_conflict": settled["on_conflict"],
            "is_snapshot": settled["is_snapshot"],
            "reading": _reading(settled),
        }
        Source.objects.filter(pk=source.pk).update(**after)
        audit.record(
            audit.Action.SOURCE_CHANGED,
            kind="source",
            object_id=source.pk,
            label=source.name,
            source=source.name,
            before=source.saved_settings,
            after=after,
        )


def problems(source: Source, chosen: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with settings, by their names."""
    found: dict[str, str] = {}

    def check(name: str, test: Callable[..., Any], *values: Any) -> None:
        try:
            test(*values)
        except ValidationError as error:
            found.setdefault(name, " ".join(error.messages))

    for role in ROLES:
        if chosen.get(role):
            check(role, check_columns, role, chosen[role])
            check(role, _check_known, source, chosen[role])
    if chosen.get(FORMAT):
        check(FORMAT, check_format, chosen[FORMAT])
        if maps_columns(source, chosen) and not chosen.get("timestamp"):
            found.setdefault(FORMAT, "A date format needs a timestamp column.")
    if chosen.get(ZONE):
        check(ZONE, check_zone, chosen[ZONE])
    if chosen.get(ZONE_COLUMN):
        check(ZONE_COLUMN, _check_known, source, [chosen[ZONE_COLUMN]])
    if chosen.get(NUMBER_FORMAT):
        if chosen[NUMBER_FORMAT] not in FORMATS:
            found[NUMBER_FORMAT] = f"A number format is one of {', '.join(FORMATS)}."
        elif not chosen.get("value"):
            found[NUMBER_FORMAT] = "A number format needs a value column."
    if chosen.get("on_conflict", OnConflict.UPDATE) not in OnConflict.values:
        found["on_conflict"] = f"Choose one of {', '.join(OnConflict.values)}."
    try:
        check_reading(_reading(chosen))
    except InvalidReading as error:
        found.setdefault(error.what, str(error))
    return found


def maps_columns(source: Source, chosen: Mapping[str, Any]) -> bool:
    """Whether the columns are mapped; if not, the next input's columns are detected."""
    return knows_roles(source.mapping) or any(chosen.get(role) for role in ROLES)


def _check_known(source: Source, columns: Sequence[str]) -> None:
    strangers = [name for name in columns if name not in source.columns]
    if source.columns and strangers:
        raise ValidationError(f"This source has no column {', '.join(map(repr, strangers))}.")


def _mapping(source: Source, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The column mapping to save, with roles only if they are set."""
    options = {name: chosen[name] for name in DATES if chosen[name]}
    if not maps_columns(source, chosen):
        return options
    mapping = {role: chosen[role] for role in ROLES} | {FORMAT: None} | options
    return mapping | _numbers(source, mapping["value"], chosen[NUMBER_FORMAT])


def _numbers(source: Source, values: list[str], chosen: str) -> dict[str, Any]:
    """The number styles of the mapping, with the format of the value column."""
    styles = dict(source.mapping.get(NUMBERS) or {})
    if values and chosen and chosen != chosen_format(source.mapping, values[0]):
        known = known_style(source.mapping, values[0]) or PLAIN
        styles[values[0]] = with_signs(known, FORMATS[chosen]).parameters()
    return {NUMBERS: styles} if styles else {}


def _reading(chosen: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in CHECKS if (text := chosen.get(name))}
