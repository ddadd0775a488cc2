"""The options of an export, defined once for pages and the API."""

from django import forms

from explore.export.files import FORMATS

CHOICES = {"format": list(FORMATS), "raw": ["0", "1"], "gzip": ["0", "1"]}
YES_OR_NO = [("0", "no"), ("1", "yes")]


class OptionsForm(forms.Form):
    """The kind of file, and what is in it."""

    format = forms.ChoiceField(
        choices=[(kind, kind) for kind in CHOICES["format"]],
        required=False,
        help_text="File format: csv, ndjson or xlsx.",
        error_messages={
            "invalid_choice": "There is no format “%(value)s”. Choose one of "
            + ", ".join(FORMATS)
            + "."
        },
    )
    raw = forms.ChoiceField(
        choices=YES_OR_NO,
        required=False,
        help_text="1: only the original cells, in the order of the imported lines; formulas are "
        "not escaped.",
        error_messages={"invalid_choice": "“raw” must be 0 or 1, not “%(value)s”."},
    )
    gzip = forms.ChoiceField(
        choices=YES_OR_NO,
        required=False,
        help_text="1: compress as a .gz file.",
        error_messages={"invalid_choice": "“gzip” must be 0 or 1, not “%(value)s”."},
    )

    @property
    def kind(self) -> str:
        return self.cleaned_data["format"] or "csv"

    @property
    def raw_cells(self) -> bool:
        return self.cleaned_data["raw"] == "1"

    @property
    def packed(self) -> bool:
        return self.cleaned_data["gzip"] == "1"
