"""The options of an export, defined once for pages, the API and the command."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

KINDS = ("csv", "ndjson", "parquet", "xlsx")
# Those whose first byte is there only when the file is complete.
MADE_WHOLE = ("parquet", "xlsx")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
YES_OR_NO = ("0", "1")
# The values of each option.
CHOICES = {
    "format": KINDS,
    "raw": YES_OR_NO,
    "gzip": YES_OR_NO,
    "delimiter": tuple(DELIMITERS),
    "line_end": tuple(LINE_ENDS),
    "bom": YES_OR_NO,
}


@dataclass(frozen=True, slots=True)
class Options:
    """The kind of file, what is in it, and how CSV is written.

    With ``raw`` it holds the cells as they were read, and nothing else. ``bom`` is the byte order
    mark by which Excel recognises UTF-8.
    """

    kind: str = "csv"
    raw: bool = False
    gzip: bool = False
    delimiter: str = ","
    line_end: str = "\r\n"
    bom: bool = False


def _choice(name: str, help_text: str, error: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[(value, value) for value in CHOICES[name]],
        required=False,
        help_text=help_text,
        error_messages={"invalid_choice": error},
    )


def _flag(name: str, help_text: str) -> forms.ChoiceField:
    return _choice(name, help_text, f"“{name}” must be 0 or 1, not “%(value)s”.")


class OptionsForm(forms.Form):
    """The options, as parameters of a URL."""

    format = _choice(
        "format",
        "File format: csv, ndjson, parquet or xlsx.",
        f"There is no format “%(value)s”. Choose one of {', '.join(KINDS)}.",
    )
    raw = _flag(
        "raw",
        "1: only the original cells, in the order of the imported lines; formulas are not escaped.",
    )
    gzip = _flag("gzip", "1: compress as a .gz file.")
    delimiter = _choice(
        "delimiter",
        "The delimiter of CSV: comma (default), semicolon or tab.",
        f"There is no delimiter “%(value)s”. Choose one of {', '.join(DELIMITERS)}.",
    )
    line_end = _choice(
        "line_end",
        "The line end of CSV: crlf (default) or lf.",
        f"There is no line end “%(value)s”. Choose one of {', '.join(LINE_ENDS)}.",
    )
    bom = _flag("bom", "1: start CSV with a byte order mark, by which Excel recognises UTF-8.")

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if chosen.get("format") not in ("", "csv", None):
            for name in ("delimiter", "line_end", "bom"):
                if chosen.get(name) not in ("", "0", None):
                    self.add_error(name, ValidationError(f"“{name}” applies to CSV only."))
        return chosen

    @property
    def options(self) -> Options:
        chosen = self.cleaned_data
        return Options(
            kind=chosen["format"] or "csv",
            raw=chosen["raw"] == "1",
            gzip=chosen["gzip"] == "1",
            delimiter=DELIMITERS[chosen["delimiter"] or "comma"],
            line_end=LINE_ENDS[chosen["line_end"] or "crlf"],
            bom=chosen["bom"] == "1",
        )
