"""Form fields that Django does not provide: lists of values, times and dates."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field

MOST_VALUES = 50
LOST_PLUS = re.compile(r"(?<=:\d\d) (?=\d\d:?\d\d$)")


class ManyField(forms.Field):
    """A parameter that may be given several times: a list of what ``each`` makes of a value.

    ``read`` reads a value further; it may raise ValidationError.
    """

    widget = forms.SelectMultiple

    def __init__(
        self,
        *,
        each: forms.Field,
        read: Callable[[Any], Any] = lambda value: value,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.each, self.read = each, read

    def clean(self, value: Any) -> list[Any]:
        given = [value] if isinstance(value, str) else list(value or ())
        if len(given) > MOST_VALUES:
            raise ValidationError(f"Give at most {MOST_VALUES} values.")
        filled = [text for text in given if text.strip()]
        return list(dict.fromkeys(self.read(self.each.clean(text)) for text in filled))


class ManyFilter(django_filters.Filter):  # type: ignore[misc]
    """A filter by several values."""

    field_class = ManyField

    def __init__(
        self, *, each: forms.Field, schema: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(each=each, **kwargs)
        text = {"type": "array", "items": schema or {"type": "string"}}
        extend_schema_field({**text, "description": kwargs.get("help_text", "")})(self)


class SingleFilter(django_filters.Filter):  # type: ignore[misc]
    """A filter by one value, of a field of Django's forms or ours."""

    def __init__(
        self, *, field_class: type[forms.Field], schema: Mapping[str, Any], **kwargs: Any
    ) -> None:
        self.field_class = field_class
        super().__init__(**kwargs)
        extend_schema_field({**schema, "description": kwargs.get("help_text", "")})(self)


class StartField(forms.Field):
    """A moment, or a day, which begins at midnight; without an offset in our own time zone."""

    default_error_messages = {
        "invalid": "Enter a date such as 2026-03-01, or a time such as 2026-03-01T12:30, with a "
        "UTC offset unless it is in the time zone of this installation."
    }

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        ProhibitNullCharactersValidator()(text)
        try:
            # Behind a time, a blank is a "+" that was not percent-encoded.
            return self.moment_of(LOST_PLUS.sub("+", text)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def moment_of(self, text: str) -> datetime:
        return _midnight(date.fromisoformat(text)) if _is_day(text) else _moment(text)


class EndField(StartField):
    """A moment, which is not part of what it ends; or a day, which is, to its last moment."""

    def moment_of(self, text: str) -> datetime:
        if _is_day(text):
            return _midnight(date.fromisoformat(text) + timedelta(days=1))
        return _moment(text)


def _is_day(text: str) -> bool:
    return len(text) <= len("2026-03-01") and "T" not in text


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else timezone.make_aware(found)
