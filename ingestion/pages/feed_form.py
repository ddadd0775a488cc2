"""The form of an automatic import (a feed)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms

from ingestion.feeds.config import POSITION
from ingestion.feeds.errors import InvalidFeed
from ingestion.feeds.paging import Style
from records.models import Feed
from web.names import SOURCE_NAME

STYLES = [
    (Style.NONE, "No pagination"),
    (Style.NEXT, "Next link in the response"),
    (Style.LINK, "Link header (rel=next)"),
    (Style.PAGE, "Page number"),
    (Style.OFFSET, "Offset"),
    (Style.CURSOR, "Cursor"),
    (Style.LAST_ROW, "Column of the last row"),
]
# The fields of the form by the names they have in the config.
PAGING = {
    "path": "paging_path",
    "param": "paging_param",
    "start": "paging_start",
    "limit_param": "limit_param",
    "limit": "limit",
}
INCREMENTAL = {
    "column": "cursor_column",
    "param": "cursor_param",
    "value": "cursor_value",
    "start": "cursor_start",
}


def text(label: str, help_text: str = "", **more: Any) -> forms.CharField:
    options = {"required": False, "max_length": 2000, **more}
    return forms.CharField(label=label, help_text=help_text, **options)


def lines(label: str, help_text: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})
    return text(label, help_text, widget=area, max_length=20_000)


class SecretLines(forms.Textarea):
    """A text area that never shows its value again."""

    def format_value(self, value: Any) -> str:
        return ""


class FeedForm(forms.Form):
    """Where an automatic import gets its data, and when."""

    source = text("Source", "The source to import into.", max_length=100)
    kind = forms.ChoiceField(label="Import from", choices=Feed.Kind.choices, initial=Feed.Kind.HTTP)

    url = text("URL", "For example https://api.example.com/v1/orders", max_length=4000)
    headers = lines(
        "Headers", "One per line: Accept-Language: en. Visible to everyone who can open this page."
    )
    secrets = lines("Secret headers", "One per line: Authorization: Bearer abc")
    forget_secrets = forms.BooleanField(label="Delete the saved secret headers", required=False)
    rows_path = text(
        "Path to the rows", "Names or list indexes separated by dots, such as data.items or 1."
    )
    style = forms.ChoiceField(
        label="Pagination", choices=STYLES, initial=Style.NONE, required=False
    )
    paging_path = text(
        "Path to the next link or cursor",
        "In the response: links.next or meta.cursor. In the last row: its column, such as id.",
    )
    paging_param = text("Page parameter", "For the page number, offset or cursor, such as page.")
    paging_start = forms.IntegerField(
        label="First page number", min_value=0, max_value=1_000_000, initial=1, required=False
    )
    limit_param = text("Page size parameter", "Such as limit or per_page.")
    limit = forms.IntegerField(
        label="Rows per page", min_value=0, max_value=1_000_000, required=False
    )
    cursor_column = text("Cursor column", "A column that only grows, such as updated_at.")
    cursor_param = text("Cursor parameter", "Requests newer rows, such as updated_since.")
    cursor_value = text("Cursor value", f"{POSITION} is replaced by the last cursor.")
    cursor_start = text("First cursor", "Leave blank to import everything the first time.")
    start_over = forms.BooleanField(label="Import everything again", required=False)

    folder = text("Folder", "Must be in a folder that this installation may import from.")
    pattern = text("File pattern", "*.csv, or **/*.csv to include subfolders.")

    schedule = text(
        "Schedule", "Cron: minute, hour, day, month, weekday. 0 6 * * 1-5 means 6:00, Monday to "
        "Friday. Leave blank to import manually only.", max_length=100,
    )  # fmt: skip
    enabled = forms.BooleanField(label="Run on schedule", required=False, initial=True)

    def __init__(self, data: Any = None, *, feed: Feed | None = None, named: bool = False) -> None:
        super().__init__(data, initial=initial(feed) if feed else None)
        self.fields["secrets"].widget = SecretLines(
            attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}
        )
        self.fields["cursor_value"].initial = POSITION
        if named:
            del self.fields["source"]
        for bound in self:
            attributes = bound.field.widget.attrs
            if bound.help_text:
                attributes["aria-describedby"] = f"{bound.id_for_label}_help"
            if self.is_bound and bound.errors:
                attributes["aria-invalid"] = "true"

    def clean_source(self) -> str:
        name: str = self.cleaned_data["source"]
        SOURCE_NAME(name)
        return name

    def clean_headers(self) -> dict[str, str]:
        return headers_in(self.cleaned_data["headers"])

    def clean_secrets(self) -> dict[str, str]:
        return headers_in(self.cleaned_data["secrets"])

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the feed, as it is stored."""
        said = self.cleaned_data
        if said["kind"] == Feed.Kind.FOLDER:
            return {"folder": said["folder"], "pattern": said["pattern"]}
        style = said["style"] or Style.NONE
        paging = {name: said[field] for name, field in PAGING.items() if said[field]}
        if style == Style.PAGE and said["paging_start"] == 0:
            paging["start"] = 0
        return {
            "url": said["url"],
            "headers": said["headers"],
            "rows_path": said["rows_path"],
            "paging": {"style": style, **paging},
            "incremental": {
                name: said[field]
                for name, field in INCREMENTAL.items()
                if said[field] and said["cursor_column"] + said["cursor_param"]
            },
        }

    def refuse(self, error: InvalidFeed) -> None:
        """Show an error at its field."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def _some(self, *names: str) -> Iterator[forms.BoundField]:
        return (self[name] for name in names)

    @property
    def paging_fields(self) -> Iterator[forms.BoundField]:
        return self._some("style", *PAGING.values())

    @property
    def cursor_fields(self) -> Iterator[forms.BoundField]:
        return self._some(*INCREMENTAL.values())

    @property
    def folder_fields(self) -> Iterator[forms.BoundField]:
        return self._some("folder", "pattern")


def headers_in(written: str) -> dict[str, str]:
    """Headers, one per line. Errors don't repeat the text: it may be a secret."""
    found: dict[str, str] = {}
    for number, line in enumerate(written.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise forms.ValidationError(f"Line {number} must be written as Name: value.")
        found[name.strip()] = value.strip()
    return found


def initial(feed: Feed) -> dict[str, Any]:
    """The initial values of the form: everything but the secrets."""
    config = feed.config
    paging, incremental = config.get("paging", {}), config.get("incremental", {})
    return {
        "kind": feed.kind,
        "schedule": feed.schedule,
        "enabled": feed.enabled,
        "style": paging.get("style", Style.NONE),
        "headers": "\n".join(
            f"{name}: {value}" for name, value in config.get("headers", {}).items()
        ),
        **{
            name: config[name]
            for name in ("url", "rows_path", "folder", "pattern")
            if name in config
        },
        **{field: paging[name] for name, field in PAGING.items() if name in paging},
        **{field: incremental[name] for name, field in INCREMENTAL.items() if name in incremental},
    }
