"""Form fields for JSON columns."""

import json
import math
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is outside the range of numbers")
    return number


class JSONText(forms.CharField):
    """JSON in a text area, parsed strictly, so that it can be stored exactly as written."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.Textarea(attrs={"rows": 14, "cols": 90, "class": "vLargeTextField"})
        )
        super().__init__(strip=False, **kwargs)
        # An empty object or list is a value; only null and an empty text are not.
        self.empty_values = [None, ""]

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or not isinstance(value, str):
            return value
        try:
            read = json.loads(value, parse_constant=_no_constant, parse_float=_finite)
            json.dumps(read, ensure_ascii=False).encode()
        except RecursionError:
            raise ValidationError("This JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ValidationError("This JSON contains half of a surrogate pair.") from None
        except ValueError as error:
            raise ValidationError(f"This is not valid JSON: {error}.") from error
        return read

    def run_validators(self, value: Any) -> None:
        if isinstance(value, str):
            super().run_validators(value)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True
